/** PyTorch's random numbers: the Mersenne Twister as torch seeds it, and what its CPU generator makes of the words. */

const N = 624;
const M = 397;

/** A generator as `torch.manual_seed(seed)` leaves it; of the seed the lowest 32 bits count, as in torch. */
export function makeGenerator(seed) {
  const state = new Uint32Array(N);
  state[0] = Number(BigInt(seed) & 0xffffffffn);
  for (let i = 1; i < N; i++) {
    state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }
  return { state, next: N };
}

/** The next whole number below 2^32. Source: Matsumoto and Nishimura (1998), ACM TOMACS 8. */
export function word(generator) {
  if (generator.next === N) refill(generator);
  let y = generator.state[generator.next++];
  y ^= y >>> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return (y ^ (y >>> 18)) >>> 0;
}

/** A number of [-bound, bound) as torch fills a float32 parameter of `Linear`: 24 bits, in steps of float32. */
export function uniform(generator, bound) {
  const unit = (word(generator) & 0xffffff) / 0x1000000;
  const end = Math.fround(bound);
  return Math.fround(unit * (2 * end) - end);
}

/** `torch.randperm(n)`: an Int32Array (n,). */
export function permutation(generator, n) {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + (word(generator) % (n - i));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function refill(generator) {
  const state = generator.state;
  for (let i = 0; i < N; i++) {
    const y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
    state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  }
  generator.next = 0;
}
