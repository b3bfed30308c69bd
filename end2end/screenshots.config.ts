import config from './playwright.config';

// The pictures are made by hand, when the console has changed: they are no tests.
export default { ...config, testDir: 'screenshots', workers: 2 };
