/* Quantises activations: each row by itself, to 7 bits. */

#include "model.h"
#include "simd.h"

/* The smallest and the largest of a row and of zero. */
static void find_range(const float *row, uint32_t count, float *least, float *most) {
  v128_t low = splat(0), high = splat(0);
  for (uint32_t k = 0; k < count; k += 4) {
    low = wasm_f32x4_min(low, load(row + k));
    high = wasm_f32x4_max(high, load(row + k));
  }
  *least = -max_of_lanes(wasm_f32x4_neg(low));
  *most = max_of_lanes(high);
}

/* Eight numbers, rounded to even and moved by the zero point; 0 to 127. */
static inline v128_t quantise_eight(const float *from, v128_t inverse, v128_t zero) {
  v128_t parts[2];
  for (uint32_t half = 0; half < 2; half++) {
    v128_t near = wasm_f32x4_nearest(mul(load(from + 4 * half), inverse));
    v128_t moved = wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(near), zero);
    moved = wasm_i32x4_max(moved, wasm_i32x4_splat(0));
    parts[half] = wasm_i32x4_min(moved, wasm_i32x4_splat(127));
  }
  return wasm_i16x8_narrow_i32x4(parts[0], parts[1]);
}

/* Groups of a row stand TILE_ROWS * GROUP apart: between them are those of the tile's other rows. */
static inline void keep_eight(v128_t eight, Quantised *into) {
  const uint32_t step = TILE_ROWS * GROUP;
#if GROUP == 4
  eight = wasm_u8x16_narrow_i16x8(eight, eight);
  wasm_v128_store32_lane(into, eight, 0);
  wasm_v128_store32_lane(into + step, eight, 1);
#else
  wasm_v128_store32_lane(into, eight, 0);
  wasm_v128_store32_lane(into + step, eight, 1);
  wasm_v128_store32_lane(into + 2 * step, eight, 2);
  wasm_v128_store32_lane(into + 3 * step, eight, 3);
#endif
}

static void quantise_row(const float *row, uint32_t count, Quantised *into, Rows *rows,
                         uint32_t place) {
  float least, most;
  find_range(row, count, &least, &most);
  float range = most - least;
  if (!(range > 1e-30f)) range = 1e-30f; /* all are zero */
  float inverse = 127.0f / range;
  float zero = __builtin_rintf(-least * inverse);
  int32_t whole_zero = (int32_t)zero;
  v128_t sums = wasm_i32x4_splat(0);
  for (uint32_t k = 0; k < count; k += 8) {
    v128_t eight = quantise_eight(row + k, splat(inverse), wasm_i32x4_splat(whole_zero));
    keep_eight(eight, into + k * TILE_ROWS);
    sums = wasm_i32x4_add(sums, wasm_i32x4_extadd_pairwise_i16x8(eight));
  }
  rows->scales[place] = range / 127.0f;
  rows->zeros[place] = whole_zero;
  rows->sums[place] = wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) +
                      wasm_i32x4_extract_lane(sums, 2) + wasm_i32x4_extract_lane(sums, 3);
}

/* from (rows, stride) floats, of which a multiple of 8 is read. */
void quantise(const float *from, uint32_t stride, uint32_t rows, const Product *product,
              Rows *into) {
  uint32_t width = product->groups * GROUP;
  for (uint32_t row = 0; row < rows; row++) {
    uint32_t place = row / TILE_ROWS * TILE_ROWS * width + row % TILE_ROWS * GROUP;
    quantise_row(from + row * stride, product->inputs, into->values + place, into, row);
  }
}
