/* Does this engine compute the products rightly? Some that were the first to have relaxed SIMD do
   not, until their better compiler takes over (V8 11.3). The host asks before it loads a model. */

#include "model.h"

#define INPUTS 16

static int8_t weights[INPUTS * PANEL];
static Quantised values[INPUTS * TILE_ROWS];

/* The extremes, where products are hardest to hold in 16 bits, and others between them. */
static int32_t some_weight(uint32_t input, uint32_t column) {
  static const int32_t extremes[] = {-128, 127, -128, -1, 127, 0};
  return (input + column) % 3 ? extremes[(input * 5 + column) % 6] : (int32_t)(input * 37 % 251) - 125;
}
static int32_t some_value(uint32_t input, uint32_t row) {
  return (input + row) % 4 ? 127 : (int32_t)(input * 29 + row * 11) % 128;
}

static void fill(void) {
  for (uint32_t input = 0; input < INPUTS; input++) {
    uint32_t group = input / GROUP, within = input % GROUP;
    for (uint32_t column = 0; column < PANEL; column++) {
      weights[(group * PANEL + column) * GROUP + within] = (int8_t)some_weight(input, column);
    }
    for (uint32_t row = 0; row < TILE_ROWS; row++) {
      values[(group * TILE_ROWS + row) * GROUP + within] = (Quantised)some_value(input, row);
    }
  }
}

static int32_t expected(uint32_t row, uint32_t column) {
  int32_t sum = 0;
  for (uint32_t input = 0; input < INPUTS; input++) {
    sum += some_value(input, row) * some_weight(input, column);
  }
  return sum;
}

__attribute__((export_name("probe"))) bool probe(void) {
  float ones[PANEL], nothing[PANEL] = {0}, row_scales[TILE_ROWS], answers[TILE_ROWS * PANEL];
  int32_t zeros[PANEL] = {0}, row_zeros[TILE_ROWS] = {0};
  for (uint32_t i = 0; i < PANEL; i++) ones[i] = 1;
  for (uint32_t i = 0; i < TILE_ROWS; i++) row_scales[i] = 1;
  fill();
  Product product = {.inputs = INPUTS, .groups = INPUTS / GROUP, .outputs = PANEL, .panels = 1,
                     .weights = weights, .sums = zeros, .scales = ones, .bias = nothing};
  Rows rows = {values, row_scales, row_zeros, row_zeros};
  multiply(&product, &rows, TILE_ROWS, 0, 1, (Target){answers, PANEL, NULL});
  for (uint32_t i = 0; i < TILE_ROWS * PANEL; i++) {
    if (answers[i] != (float)expected(i / PANEL, i % PANEL)) return false;
  }
  return true;
}
