/* Which rule an operator has, and the attributes that rules look at. */

#include "rules.h"

typedef struct {
  const char *op;
  Rule apply;
} Known;

static const Known known[] = {
    {"Add", rule_add},
    {"And", rule_and},
    {"Cast", rule_cast},
    {"Concat", rule_concat},
    {"Constant", rule_constant},
    {"ConstantOfShape", rule_constant_of_shape},
    {"CumSum", rule_cumulative_sum},
    {"DequantizeLinear", rule_dequantise},
    {"Div", rule_div},
    {"Dropout", rule_same},
    {"DynamicQuantizeLinear", rule_dynamic_quantise},
    {"Equal", rule_equal},
    {"Erf", rule_erf},
    {"Expand", rule_expand},
    {"Gather", rule_gather},
    {"Gelu", rule_gelu},
    {"Gemm", rule_gemm},
    {"Greater", rule_greater},
    {"GreaterOrEqual", rule_greater_or_equal},
    {"Identity", rule_same},
    {"IsNaN", rule_is_nan},
    {"LayerNormalization", rule_norm},
    {"Less", rule_less},
    {"LessOrEqual", rule_less_or_equal},
    {"MatMul", rule_matmul},
    {"MatMulInteger", rule_matmul_integer},
    {"Mul", rule_mul},
    {"Not", rule_not},
    {"Or", rule_or},
    {"Pow", rule_pow},
    {"Range", rule_range},
    {"ReduceMean", rule_mean},
    {"Relu", rule_relu},
    {"Reshape", rule_reshape},
    {"Shape", rule_shape},
    {"Slice", rule_slice},
    {"Softmax", rule_softmax},
    {"Sqrt", rule_sqrt},
    {"Squeeze", rule_squeeze},
    {"Sub", rule_sub},
    {"Tanh", rule_tanh},
    {"Transpose", rule_transpose},
    {"Unsqueeze", rule_unsqueeze},
    {"Where", rule_where},
};

const Value *input(Step *step, uint32_t place) {
  REQUIRE(place < step->node->input_count && step->in[place], "an operator without its input");
  return step->in[place];
}

const Attribute *attribute(Node *node, const char *name) {
  for (uint32_t i = 0; i < node->attribute_count; i++) {
    Attribute *found = &node->attributes[i];
    if (!same_text(found->name, found->name_length, name)) continue;
    found->is_used = true;
    return found;
  }
  return NULL;
}

int64_t integer_attribute(Node *node, const char *name, int64_t otherwise) {
  const Attribute *found = attribute(node, name);
  if (!found) return otherwise;
  REQUIRE(found->count == 1 && !found->tensor, "a setting of another kind");
  return found->integers[0];
}

void apply_rule(Step *step) {
  Node *node = step->node;
  for (uint32_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!same_string(known[i].op, node->op)) continue;
    const Value *made = known[i].apply(step);
    if (made) step->out[0] = made;
    for (uint32_t a = 0; a < node->attribute_count; a++) {
      REQUIRE(node->attributes[a].is_used, "an operator with an unknown setting");
    }
    return;
  }
  stop(NOT_UNDERSTOOD, "an operator that the BERT family does not have");
}
