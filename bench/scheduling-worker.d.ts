/**
 * Scheduling worker: the two names of the Worker's platform that the production admission's imports mention. It uses neither.
 *
 * The bench runs in Node and knows no Worker types; nothing of this exists at run time.
 */
interface DurableObjectStorage {
  list<Value>(options: { prefix: string }): Promise<Map<string, Value>>;
  put(key: string, value: unknown, options?: object): Promise<void>;
  delete(key: string, options?: object): Promise<boolean>;
}

declare namespace Cloudflare {
  interface Env {
    POOL_LIMITS?: string;
  }
}
