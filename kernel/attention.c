/* Attention, head by head, in floats. */

#include "model.h"
#include "simd.h"

/* to (TILE_ROWS, columns) = a (TILE_ROWS, depth) x b (depth, columns), b in panels of PANEL columns:
   (panel, depth, PANEL). Each number is a sum in the order of the depth. */
static void multiply_floats(const float *a, uint32_t a_stride, const float *b, uint32_t depth,
                            uint32_t columns, float *to, uint32_t to_stride) {
  for (uint32_t column = 0; column < columns; column += PANEL) {
    v128_t sums[TILE_ROWS][2];
    for (uint32_t r = 0; r < TILE_ROWS; r++) sums[r][0] = sums[r][1] = splat(0);
    for (uint32_t k = 0; k < depth; k++, b += PANEL) {
      v128_t left = load(b), right = load(b + 4);
      for (uint32_t r = 0; r < TILE_ROWS; r++) {
        v128_t value = wasm_v128_load32_splat(a + r * a_stride + k);
        sums[r][0] = add(sums[r][0], mul(value, left));
        sums[r][1] = add(sums[r][1], mul(value, right));
      }
    }
    for (uint32_t r = 0; r < TILE_ROWS; r++) {
      store(to + r * to_stride + column, sums[r][0]);
      store(to + r * to_stride + column + 4, sums[r][1]);
    }
  }
}

/* Keys (tokens, size) to (token / PANEL, size, PANEL): columns are tokens. Those after the last
   are zeros. */
static void pack_keys(const float *from, uint32_t stride, uint32_t tokens, uint32_t size, float *to) {
  uint32_t columns = rounded_up(tokens, PANEL);
  for (uint32_t token = 0; token < columns; token++) {
    float *column = to + token / PANEL * PANEL * size + token % PANEL;
    for (uint32_t k = 0; k < size; k++) {
      column[k * PANEL] = token < tokens ? from[token * stride + k] : 0;
    }
  }
}

/* Contents (tokens, size) to (size / PANEL, tokens, PANEL): columns are features. */
static void pack_contents(const float *from, uint32_t stride, uint32_t tokens, uint32_t size,
                          float *to) {
  for (uint32_t panel = 0; panel < size / PANEL; panel++) {
    for (uint32_t token = 0; token < tokens; token++, to += PANEL) {
      const float *row = from + token * stride + panel * PANEL;
      store(to, load(row));
      store(to + 4, load(row + 4));
    }
  }
}

/* In place: each score to e to the (it - the largest); answers one over their sum. */
static float soften(float *scores, uint32_t tokens) {
  uint32_t columns = rounded_up(tokens, PANEL);
  for (uint32_t i = tokens; i < columns; i++) scores[i] = -1e30f; /* no tokens: they come to nothing */
  v128_t most = splat(-1e30f), sums = splat(0);
  for (uint32_t i = 0; i < columns; i += 4) most = wasm_f32x4_max(most, load(scores + i));
  most = splat(max_of_lanes(most));
  for (uint32_t i = 0; i < columns; i += 4) {
    v128_t weight = exponential(sub(load(scores + i), most));
    store(scores + i, weight);
    sums = add(sums, weight);
  }
  return 1.0f / sum_of_lanes(sums);
}

/* TILE_ROWS queries of one head, of which `count` are there. */
static void attend_tile(const float *parts, uint32_t stride, uint32_t count, uint32_t tokens,
                        float scale, const AttentionSpace *space, float *to) {
  uint32_t size = model.size, columns = rounded_up(tokens, PANEL);
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t k = 0; k < size; k += 4) {
      store(space->queries + r * size + k, mul(load(parts + r * stride + k), splat(scale)));
    }
  }
  multiply_floats(space->queries, size, space->keys, size, columns, space->weights, columns);
  float inverse[TILE_ROWS];
  for (uint32_t r = 0; r < count; r++) inverse[r] = soften(space->weights + r * columns, tokens);
  multiply_floats(space->weights, columns, space->contents, tokens, size, space->mixed, size);
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t k = 0; k < size; k += 4) {
      v128_t mixed = load(space->mixed + r * size + k);
      store(to + r * model.hidden + k, mul(mixed, splat(inverse[r])));
    }
  }
}

void attend(const float *parts, uint32_t tokens, uint32_t queries, float scale,
            const AttentionSpace *space, float *to) {
  uint32_t hidden = model.hidden, size = model.size, stride = 3 * hidden;
  for (uint32_t head = 0; head < model.heads; head++) {
    const float *part = parts + head * size;
    pack_keys(part + hidden, stride, tokens, size, space->keys);
    pack_contents(part + 2 * hidden, stride, tokens, size, space->contents);
    for (uint32_t row = 0; row < queries; row += TILE_ROWS) {
      uint32_t left = queries - row;
      attend_tile(part + row * stride, stride, left < TILE_ROWS ? left : TILE_ROWS, tokens, scale,
                  space, to + row * hidden + head * size);
    }
  }
}
