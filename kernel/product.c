/* The products: nine tenths of the work of short texts. */

#include "model.h"
#include "simd.h"

/* Columns that are computed together, as vectors of four. */
#define VECTORS (PANEL / 4)

typedef v128_t Tile[TILE_ROWS][VECTORS];

/* The sum of GROUP products in each lane, and what was there: weights in -128 to 127, values in 0
   to 127. Two such products fit into 16 bits, so that all machines' instructions say the same. */
static inline v128_t dot(v128_t weights, v128_t values, v128_t sum) {
#if GROUP == 4
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, values, sum);
#else
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(weights, values));
#endif
}

static inline v128_t load_weights(const int8_t *from) {
#if GROUP == 4
  return load(from);
#else
  return wasm_i16x8_load8x8(from);
#endif
}

/* One panel for TILE_ROWS rows: (TILE_ROWS, groups * GROUP) x (groups * GROUP, PANEL). All of the
   tile stays in registers: with more rows, or k unrolled, it does not in V8, at half the speed. */
static inline void multiply_tile(const int8_t *panel, const Quantised *values, uint32_t groups,
                                 Tile tile) {
  for (uint32_t r = 0; r < TILE_ROWS; r++) {
    for (uint32_t v = 0; v < VECTORS; v++) tile[r][v] = wasm_i32x4_splat(0);
  }
#pragma clang loop unroll(disable)
  for (uint32_t group = 0; group < groups; group++) {
    v128_t weights[VECTORS];
    for (uint32_t v = 0; v < VECTORS; v++) weights[v] = load_weights(panel + v * 4 * GROUP);
    for (uint32_t r = 0; r < TILE_ROWS; r++) {
      v128_t value = wasm_v128_load32_splat(values + r * GROUP);
      for (uint32_t v = 0; v < VECTORS; v++) tile[r][v] = dot(weights[v], value, tile[r][v]);
    }
    panel += PANEL * GROUP;
    values += TILE_ROWS * GROUP;
  }
}

/* From four columns' integers to floats: zero points, scales and bias. */
static inline v128_t as_floats(const Product *product, v128_t sums, uint32_t column,
                               const Rows *rows, uint32_t row) {
  v128_t zero = wasm_i32x4_splat(rows->zeros[row]);
  sums = wasm_i32x4_sub(sums, wasm_i32x4_mul(zero, load(product->sums + column)));
  if (product->zeros) {
    v128_t values = wasm_i32x4_splat(rows->sums[row]);
    sums = wasm_i32x4_sub(sums, wasm_i32x4_mul(values, load(product->zeros + column)));
  }
  v128_t scale = mul(splat(rows->scales[row]), load(product->scales + column));
  return add(mul(wasm_f32x4_convert_i32x4(sums), scale), load(product->bias + column));
}

static inline v128_t activate(v128_t x, Activation activation) {
  if (activation == GELU) return gelu(x);
  if (activation == RELU) return wasm_f32x4_max(x, splat(0));
  if (activation == TANH) return hyperbolic_tangent(x);
  return x;
}

static inline void finish_tile(const Product *product, Tile tile, uint32_t column,
                               const Rows *rows, uint32_t row, uint32_t count, Target target) {
  for (uint32_t r = 0; r < TILE_ROWS && r < count; r++) {
    for (uint32_t v = 0; v < VECTORS; v++) {
      uint32_t at = column + 4 * v, place = (row + r) * target.stride + at;
      v128_t made = activate(as_floats(product, tile[r][v], at, rows, row + r), product->activation);
      if (target.residual) made = add(made, load(target.residual + place));
      store(target.to + place, made);
    }
  }
}

void multiply(const Product *product, const Rows *rows, uint32_t count, uint32_t first,
              uint32_t end, Target target) {
  uint32_t width = product->groups * GROUP;
  for (uint32_t panel = first; panel < end; panel++) {
    const int8_t *weights = product->weights + panel * PANEL * width;
    for (uint32_t row = 0; row < count; row += TILE_ROWS) {
      Tile tile;
      uint32_t left = count - row;
      multiply_tile(weights, rows->values + row * width, product->groups, tile);
      finish_tile(product, tile, panel * PANEL, rows, row, left, target);
    }
  }
}
