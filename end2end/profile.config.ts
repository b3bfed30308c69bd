import config from './playwright.config';

// Made by hand, when the first WASM file has grown: they are no tests.
export default { ...config, testDir: 'profile', workers: 1, fullyParallel: false };
