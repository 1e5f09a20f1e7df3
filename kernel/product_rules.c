/* Products with weights, and activations. */

#include "rules.h"

static bool can_be_multiplied(const Value *value) {
  if (value->kind == ACTIVE && value->activation == GELU) return is_close(value->scale, 0.5);
  bool is_known = value->kind == STATE || value->kind == CONTEXT || value->kind == ACTIVE;
  return (is_known || value->kind == FIRST) && value->scale == 1;
}

const Value *rule_dynamic_quantise(Step *step) {
  const Value *value = input(step, 0);
  REQUIRE(can_be_multiplied(value) && step->node->output_count == 3, "an odd quantisation");
  static const Kind kinds[3] = {QUANTISED, QUANTISED_SCALE, QUANTISED_ZERO};
  for (int32_t i = 0; i < 3; i++) {
    Value *made = make_from(value, kinds[i]);
    if (i) made->rank = 0;
    made->of = value;
    step->out[i] = made;
  }
  return NULL;
}

/* A number, or one for each column. */
static bool is_per_column(const Value *value, int32_t columns) {
  return value->kind == CONSTANT && value->rank <= 1 &&
         (value->constant->count == 1 || value->constant->count == (uint32_t)columns);
}

static Value *product_dims(const Value *a, int32_t columns, Kind kind) {
  Value *made = make_from(a, kind);
  made->dims[made->rank - 1] = columns;
  return made;
}

const Value *rule_matmul_integer(Step *step) {
  const Value *a = input(step, 0), *weight = input(step, 1), *a_zero = input(step, 2);
  REQUIRE(is_plain(a, QUANTISED) && is_plain(a_zero, QUANTISED_ZERO), "an odd product");
  REQUIRE(a->of == a_zero->of && weight->kind == CONSTANT, "an odd product");
  const Tensor *bytes = weight->constant;
  REQUIRE(bytes->type == INT8 || bytes->type == UINT8, "weights of another type");
  REQUIRE(weight->rank == 2 && weight->dims[0] == last_dim(a), "weights of another size");
  Value *made = product_dims(a, weight->dims[1], PRODUCT);
  made->of = a->of;
  made->weight = bytes;
  if (step->node->input_count > 3 && step->in[3]) {
    const Value *zero = step->in[3];
    REQUIRE(is_per_column(zero, weight->dims[1]), "zero points of another size");
    REQUIRE(zero->constant->type == bytes->type, "zero points of another type");
    made->zero = zero->constant;
  }
  return made;
}

/* The head may be in floats: it is computed for one token. */
const Value *float_product(const Value *a, const Value *weight, bool is_transposed) {
  REQUIRE(can_be_multiplied(a) && a->rank == 2, "a product of floats before the head");
  REQUIRE(weight->kind == CONSTANT && weight->rank == 2, "an odd product");
  REQUIRE(weight->constant->type == FLOAT32, "weights of another type");
  REQUIRE(weight->dims[is_transposed] == last_dim(a), "weights of another size");
  Value *made = product_dims(a, weight->dims[!is_transposed], LINEAR);
  made->of = a;
  made->weight = weight->constant;
  made->is_float = true;
  made->is_transposed = is_transposed;
  return made;
}

const Value *add_bias(const Value *linear, const Value *bias) {
  Value *made = make_from(linear, LINEAR);
  *made = *linear;
  made->root = made;
  made->bias = bias->constant;
  return made;
}

const Value *rule_gemm(Step *step) {
  const Attribute *alpha = attribute(step->node, "alpha"), *beta = attribute(step->node, "beta");
  REQUIRE(!alpha || alpha->real == 1, "a scaled product");
  REQUIRE(!beta || beta->real == 1, "a scaled product");
  REQUIRE(!integer_attribute(step->node, "transA", 0), "a product of columns");
  bool is_transposed = integer_attribute(step->node, "transB", 0) == 1;
  const Value *made = float_product(input(step, 0), input(step, 1), is_transposed);
  if (step->node->input_count < 3) return made;
  REQUIRE(is_vector(input(step, 2), last_dim(made)), "an odd bias");
  return add_bias(made, step->in[2]);
}

const Value *rule_erf(Step *step) {
  const Value *value = input(step, 0);
  bool is_of_linear = value->kind == LINEAR && is_close(value->scale, 0.70710678118654752);
  REQUIRE(is_of_linear, "an error function of something else");
  Value *made = make_from(value, ERF);
  made->of = value->root;
  return made;
}

static const Value *activate(const Value *value, Activation activation) {
  REQUIRE(is_plain(value, LINEAR), "an activation of something else");
  Value *made = make_from(value, ACTIVE);
  made->of = value;
  made->activation = activation;
  return made;
}

const Value *rule_relu(Step *step) { return activate(input(step, 0), RELU); }
const Value *rule_tanh(Step *step) { return activate(input(step, 0), TANH); }
const Value *rule_gelu(Step *step) { return scaled(activate(input(step, 0), GELU), 0.5); }
