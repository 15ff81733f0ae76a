// Tests run against the built package, as a user would import it.
module.exports = {
  rootDir: __dirname,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: '<rootDir>/test/setup/environment.cjs',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      },
    ],
  },
  moduleNameMapper: {
    '^flambeau$': '<rootDir>/dist/index.js',
  },
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/prebuilds/'],
  testTimeout: 60000,
};
