/* What each operator makes of its inputs: one function an operator. A rule that does not know what
   it sees stops, and another engine runs the model. */

#pragma once

#include "values.h"

typedef const Value *(*Rule)(Step *step);

const Value *input(Step *step, uint32_t place); /* stops if it is left out */

/* shape_rules.c: operators on shapes, masks and positions. */
const Value *rule_shape(Step *step);
const Value *rule_unsqueeze(Step *step);
const Value *rule_squeeze(Step *step);
const Value *rule_concat(Step *step);
const Value *rule_expand(Step *step);
const Value *rule_constant(Step *step);
const Value *constant_value(const Tensor *tensor);
const Value *rule_constant_of_shape(Step *step);
const Value *rule_range(Step *step);
const Value *rule_cumulative_sum(Step *step);
bool has_input(Step *step, uint32_t place);
int32_t as_axis(double axis, int32_t rank);
const Value *with_dims(const Value *value, int32_t rank, const int32_t *dims);
void read_shape(const Value *shape, int32_t rank, int32_t *dims);

/* place_rules.c: those that pick numbers, or give them other axes. */
const Value *rule_slice(Step *step);
const Value *rule_gather(Step *step);
const Value *rule_reshape(Step *step);
const Value *rule_transpose(Step *step);
const Value *gather_numbers(const Value *data, const Value *index, int64_t axis);
const Value *reshape_to(const Value *value, const Value *wanted, bool zero_copies);

/* arithmetic_rules.c: one number at a time, of shapes as of hidden states. */
const Value *rule_add(Step *step);
const Value *rule_sub(Step *step);
const Value *rule_mul(Step *step);
const Value *rule_div(Step *step);
const Value *rule_pow(Step *step);
const Value *rule_sqrt(Step *step);
const Value *rule_equal(Step *step);
const Value *rule_less(Step *step);
const Value *rule_greater(Step *step);
const Value *rule_less_or_equal(Step *step);
const Value *rule_greater_or_equal(Step *step);
const Value *rule_and(Step *step);
const Value *rule_or(Step *step);
const Value *rule_not(Step *step);
const Value *rule_where(Step *step);
const Value *rule_cast(Step *step);
const Value *rule_same(Step *step);
const Value *rule_is_nan(Step *step);

/* state_rules.c: embeddings and norms; product_rules.c: products with weights;
   sum_rules.c: sums and products of two values; attention_rules.c. */
const Value *rule_dequantise(Step *step);
const Value *rule_dynamic_quantise(Step *step);
const Value *rule_matmul_integer(Step *step);
const Value *rule_matmul(Step *step);
const Value *rule_gemm(Step *step);
const Value *rule_mean(Step *step);
const Value *rule_norm(Step *step);
const Value *rule_erf(Step *step);
const Value *rule_gelu(Step *step);
const Value *rule_relu(Step *step);
const Value *rule_tanh(Step *step);
const Value *rule_softmax(Step *step);
const Value *add_terms(const Value *a, const Value *b);
const Value *multiply_terms(const Value *a, const Value *b);
const Value *look_up(const Value *table, const Value *index);
const Value *split_heads(const Value *value, const Value *shape);
const Value *reorder_axes(const Value *value, const Attribute *order);

const Value *add_bias(const Value *linear, const Value *bias);
const Value *add_embeddings(const Value *a, const Value *b);
const Value *float_product(const Value *a, const Value *weight, bool is_transposed);

/* Make a value of another kind out of one; it has the same dims. */
Value *make_from(const Value *of, Kind kind);
bool is_plain(const Value *value, Kind kind); /* of that kind, and not scaled */
bool is_vector(const Value *value, int32_t length); /* float weights of one axis */
int32_t last_dim(const Value *value);
const Value *scaled(const Value *value, double by);
