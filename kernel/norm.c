/* The norm of a row: less its mean, over its deviation, times weight, plus bias. */

#include "model.h"
#include "simd.h"

void normalise(float *row, uint32_t hidden, const Norm *norm) {
  v128_t sums = splat(0), squares = splat(0);
  for (uint32_t i = 0; i < hidden; i += 4) sums = add(sums, load(row + i));
  v128_t mean = splat(sum_of_lanes(sums) / (float)hidden);
  for (uint32_t i = 0; i < hidden; i += 4) {
    v128_t centered = sub(load(row + i), mean);
    squares = add(squares, mul(centered, centered));
  }
  float variance = sum_of_lanes(squares) / (float)hidden;
  v128_t inverse = splat(1.0f / __builtin_sqrtf(variance + norm->epsilon));
  for (uint32_t i = 0; i < hidden; i += 4) {
    v128_t normed = mul(sub(load(row + i), mean), inverse);
    store(row + i, add(mul(normed, load(norm->weight + i)), load(norm->bias + i)));
  }
}
