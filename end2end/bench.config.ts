import config from './playwright.config';

// Measures, and judges nothing: machines differ. One at a time, alone on the machine.
export default { ...config, testDir: 'bench', testMatch: '*.bench.ts', workers: 1, timeout: 600_000 };
