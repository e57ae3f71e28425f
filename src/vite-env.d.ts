/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Of this project when it was built. */
  readonly HYCORA_COMMIT: string
}
