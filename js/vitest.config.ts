import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // What is waited for comes in milliseconds; a machine at work elsewhere may take its time.
    setupFiles: ["vitest.setup.ts"],
    testTimeout: 20_000,
  },
});
