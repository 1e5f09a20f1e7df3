/* Operators on hidden states, step by step: what comes out is named in values.h. */

#include "rules.h"

static const Value *input(Step *step, uint32_t place) {
  REQUIRE(place < step->node->input_count && step->in[place], "an operator without its input");
  return step->in[place];
}

Value *make_from(const Value *of, Kind kind) {
  Value *made = allocate(1, sizeof(Value));
  *made = (Value){.kind = kind, .rank = of->rank, .scale = 1};
  for (int32_t axis = 0; axis < of->rank; axis++) made->dims[axis] = of->dims[axis];
  made->root = made;
  return made;
}

bool is_plain(const Value *value, Kind kind) { return value->kind == kind && value->scale == 1; }

bool is_vector(const Value *value, int32_t length) {
  bool is_float = value->kind == CONSTANT && value->constant->type == FLOAT32;
  return is_float && value->rank == 1 && value->dims[0] == length;
}

int32_t last_dim(const Value *value) {
  REQUIRE(value->rank > 0, "a hidden state without axes");
  return value->dims[value->rank - 1];
}

/* A number times a value; numbers and weights are no hidden states. */
const Value *scaled(const Value *value, double by) {
  REQUIRE(value->kind > CONSTANT && by > 0 && by < 1e30, "an odd factor");
  Value *made = allocate(1, sizeof(Value));
  *made = *value;
  made->scale *= by;
  if (is_close(made->scale, 1)) return value->root;
  return made;
}

/* ---- embeddings ---- */

/* Which table this is: what its rows are looked up by tells. */
static int32_t table_of(const Value *index, bool *first_row_only) {
  int32_t length = scenario.length, start = (int32_t)number(index, 0), before = 0;
  bool is_ids = true, is_types = true, is_zero = true, counts = true, skips = true;
  for (int32_t i = 0; i < length; i++) {
    double place = number(index, (uint32_t)i);
    bool is_padding = scenario.ids[i] == scenario.padding;
    is_ids &= place == scenario.ids[i];
    is_types &= place == scenario.types[i];
    is_zero &= place == 0;
    counts &= place == start + i;
    skips &= place == scenario.padding + (is_padding ? 0 : ++before);
  }
  *first_row_only = is_zero;
  if (is_ids) return WORDS;
  if (is_types || is_zero) return TYPES;
  REQUIRE(counts || (skips && scenario.padding >= 0), "a table that is looked up by other things");
  if (scenario.has_padding) scenario.positions_skip_padding = !counts;
  else if (scenario.first_position < 0) scenario.first_position = start;
  bool is_known = scenario.has_padding || scenario.first_position == start;
  REQUIRE(is_known && start >= 0, "positions that change");
  return POSITIONS;
}

const Value *look_up(const Value *table, const Value *index) {
  REQUIRE(count_of(index) == (uint32_t)scenario.length, "a table that is not looked up by token");
  REQUIRE(index->dims[index->rank - 1] == scenario.length && index->rank <= 2, "an odd index");
  const Tensor *rows = table->constant;
  bool is_bytes = rows->type == UINT8 || rows->type == INT8;
  REQUIRE(is_bytes || rows->type == FLOAT32, "a table of another type");
  Value *found = make_from(index, is_bytes ? ROWS : EMBEDDING);
  found->dims[found->rank++] = table->dims[1];
  bool first_row_only;
  int32_t which = table_of(index, &first_row_only);
  found->tables[which] = (Table){rows, 1, 0, first_row_only};
  return found;
}

/* One number that a constant of one number holds. */
static double only_number(const Value *value) {
  const Value *numbers = need_numbers(value);
  REQUIRE(count_of(numbers) == 1, "a table with a scale for each row");
  return numbers->numbers[0];
}

const Value *rule_dequantise(Step *step) {
  const Value *rows = input(step, 0);
  REQUIRE(rows->kind == ROWS, "bytes that are no rows of a table");
  integer_attribute(step->node, "axis", 1); /* of a scale for each row: there is one scale */
  Value *made = make_from(rows, EMBEDDING);
  bool has_zero = step->node->input_count > 2 && step->in[2];
  for (int32_t which = 0; which < TABLES; which++) {
    made->tables[which] = rows->tables[which];
    made->tables[which].scale = only_number(input(step, 1));
    made->tables[which].zero = has_zero ? only_number(step->in[2]) : 0;
  }
  return made;
}

static const Value *add_embeddings(const Value *a, const Value *b) {
  Value *made = make_from(broadcast_dims(a, b), EMBEDDING);
  REQUIRE(last_dim(a) == last_dim(b), "embeddings of other sizes");
  for (int32_t which = 0; which < TABLES; which++) {
    bool is_twice = a->tables[which].rows && b->tables[which].rows;
    REQUIRE(!is_twice, "two tables that are looked up by the same");
    made->tables[which] = (a->tables[which].rows ? a : b)->tables[which];
  }
  return made;
}

/* ---- norms ---- */

static bool can_be_normed(const Value *value) {
  return is_plain(value, EMBEDDING) || is_plain(value, SUM);
}

const Value *rule_mean(Step *step) {
  const Value *value = input(step, 0);
  double axis = 0;
  const Attribute *axes = attribute(step->node, "axes");
  REQUIRE(axes ? axes->count == 1 : step->node->input_count == 2, "a mean over other axes");
  axis = axes ? (double)axes->integers[0] : only_number(input(step, 1));
  REQUIRE(axis == -1 || axis == value->rank - 1, "a mean over other axes");
  REQUIRE(integer_attribute(step->node, "keepdims", 1) == 1, "a mean that loses an axis");
  REQUIRE(can_be_normed(value) || is_plain(value, SQUARE), "a mean of something else");
  Value *made = make_from(value, value->kind == SQUARE ? VARIANCE : MEAN);
  made->of = value->kind == SQUARE ? value->of : value;
  made->dims[made->rank - 1] = 1;
  return made;
}

const Value *rule_norm(Step *step) {
  const Value *value = input(step, 0), *weight = input(step, 1), *bias = input(step, 2);
  int64_t axis = integer_attribute(step->node, "axis", -1);
  integer_attribute(step->node, "stash_type", 1);
  const Attribute *epsilon = attribute(step->node, "epsilon");
  REQUIRE(axis == -1 || axis == value->rank - 1, "a norm over other axes");
  REQUIRE(can_be_normed(value) && step->node->output_count == 1, "a norm of something else");
  int32_t size = last_dim(value);
  REQUIRE(is_vector(weight, size) && is_vector(bias, size), "a norm with other weights");
  Value *made = make_from(value, STATE);
  made->of = value;
  made->epsilon = epsilon ? epsilon->real : 1e-5;
  made->weight = weight->constant;
  made->bias = bias->constant;
  return made;
}

/* ---- products with weights ---- */

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
static const Value *float_product(const Value *a, const Value *weight, bool is_transposed) {
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

static const Value *add_bias(const Value *linear, const Value *bias) {
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

/* ---- sums and products of two values ---- */

const Value *add_terms(const Value *a, const Value *b) {
  if (a->kind <= CONSTANT) {
    const Value *swap = a;
    a = b, b = swap;
  }
  REQUIRE(a->kind > CONSTANT && same_dims(broadcast_dims(a, b), a), "an odd sum");
  const Value *numbers = as_numbers(b);
  if (a->kind == VARIANCE && numbers && count_of(numbers) == 1) {
    Value *made = make_from(a, VARIANCE);
    made->of = a->of;
    made->epsilon = a->epsilon + numbers->numbers[0];
    return made;
  }
  if (numbers && a->kind == ERF && is_uniform(b, a->scale)) {
    Value *made = make_from(a, ERF_PLUS_1);
    made->of = a->of;
    return scaled(made, a->scale);
  }
  bool is_masked = numbers && a->kind == SCORES && is_uniform(b, 0); /* no token is hidden */
  if (is_masked) return a;
  if (is_plain(a, LINEAR) && !a->bias && is_vector(b, last_dim(a))) return add_bias(a, b);
  if (is_plain(a, WEIGHTED) && is_vector(b, last_dim(a))) {
    Value *made = make_from(a, STATE);
    *made = *a;
    made->kind = STATE;
    made->root = made;
    made->bias = b->constant;
    return made;
  }
  if (is_plain(a, EMBEDDING) && is_plain(b, EMBEDDING)) return add_embeddings(a, b);
  if (is_plain(a, STATE)) {
    const Value *swap = a;
    a = b, b = swap;
  }
  REQUIRE(is_plain(a, LINEAR) && is_plain(b, STATE) && same_dims(a, b), "an odd sum");
  Value *made = make_from(a, SUM);
  made->of = a;
  made->content = b;
  return made;
}

static const Value *multiply_kinds(const Value *a, const Value *b) {
  if (a == b && is_plain(a, CENTERED)) {
    Value *made = make_from(a, SQUARE);
    made->of = a->of;
    return made;
  }
  if (is_plain(a, PRODUCT) && b->kind == FACTOR && a->of == b->of) {
    Value *made = make_from(a, LINEAR);
    made->of = a->of;
    made->weight = a->weight;
    made->zero = a->zero;
    made->factor = b->factor;
    REQUIRE(b->rank == 0 || last_dim(b) == last_dim(a), "scales of another size");
    return made;
  }
  if (a->kind == LINEAR && b->kind == ERF_PLUS_1 && a->root == b->of) {
    Value *made = make_from(a, ACTIVE);
    made->of = a->root;
    made->activation = GELU;
    return scaled(made, a->scale * b->scale);
  }
  return NULL;
}

const Value *multiply_terms(const Value *a, const Value *b) {
  if (a->kind <= CONSTANT) {
    const Value *swap = a;
    a = b, b = swap;
  }
  REQUIRE(a->kind > CONSTANT, "an odd product");
  if (is_plain(a, QUANTISED_SCALE) && b->kind == CONSTANT) {
    REQUIRE(b->rank <= 1 && b->constant->type == FLOAT32, "scales of another kind");
    Value *made = make_from(b, FACTOR);
    if (b->constant->count == 1) made->rank = 0;
    made->of = a->of;
    made->factor = b->constant;
    return made;
  }
  const Value *numbers = as_numbers(b);
  if (numbers) {
    REQUIRE(numbers->is_uniform && same_dims(broadcast_dims(a, b), a), "an odd factor");
    return scaled(a, numbers->numbers[0]);
  }
  if (is_plain(a, NORMED) && is_vector(b, last_dim(a))) {
    Value *made = make_from(a, WEIGHTED);
    made->of = a->of;
    made->epsilon = a->epsilon;
    made->weight = b->constant;
    return made;
  }
  const Value *made = multiply_kinds(a, b);
  if (!made) made = multiply_kinds(b, a);
  REQUIRE(made, "an odd product");
  return made;
}

/* ---- attention ---- */

/* (1, tokens, heads * size) to (1, tokens, heads, size), and back. */
const Value *split_heads(const Value *value, const Value *shape) {
  bool is_split = is_plain(value, LINEAR) && value->rank == 3 && shape->rank == 4;
  bool is_joined = is_plain(value, MIXED) && value->rank == 4 && shape->rank == 3;
  REQUIRE(is_split || is_joined, "a hidden state in another shape");
  REQUIRE(shape->dims[0] == 1 && shape->dims[1] == scenario.length, "tokens that are mixed");
  Value *made = make_from(shape, is_split ? SPLIT : CONTEXT);
  if (is_joined) {
    REQUIRE(value->order[1] == 1 && value->order[2] == 2, "heads that are mixed");
    made->of = value->of, made->key = value->key, made->content = value->content;
    return made;
  }
  made->of = value;
  for (int32_t axis = 0; axis < 4; axis++) made->order[axis] = axis;
  return made;
}

const Value *reorder_axes(const Value *value, const Attribute *order) {
  REQUIRE(order->count == (uint32_t)value->rank, "an order of other axes");
  bool is_heads = value->kind == SPLIT || value->kind == MIXED;
  REQUIRE(is_heads && value->rank == 4, "a hidden state on its side");
  Value *made = allocate(1, sizeof(Value));
  *made = *value;
  made->root = made;
  bool is_seen[4] = {0};
  for (int32_t axis = 0; axis < 4; axis++) {
    int64_t from = order->integers[axis];
    REQUIRE(from >= 0 && from < 4 && !is_seen[from], "an order of other axes");
    is_seen[from] = true;
    made->order[axis] = value->order[from];
    made->dims[axis] = value->dims[from];
  }
  return made;
}

static bool has_order(const Value *value, int32_t second, int32_t third, int32_t fourth) {
  const int32_t *order = value->order;
  return order[0] == 0 && order[1] == second && order[2] == third && order[3] == fourth;
}

const Value *rule_matmul(Step *step) {
  const Value *a = input(step, 0), *b = input(step, 1);
  if (b->kind == CONSTANT) return float_product(a, b, false);
  REQUIRE(b->kind == SPLIT && a->rank == 4, "an odd product");
  if (a->kind == SPLIT) {
    bool fits = has_order(a, 2, 1, 3) && has_order(b, 2, 3, 1);
    REQUIRE(fits && a->dims[1] == b->dims[1] && a->dims[3] == b->dims[2], "an odd attention");
    Value *made = make_from(a, SCORES);
    made->dims[3] = b->dims[3];
    made->of = a->root, made->key = b->root;
    return scaled(made, a->scale * b->scale);
  }
  bool fits = is_plain(a, ATTENTION_WEIGHTS) && is_plain(b, SPLIT) && has_order(b, 2, 1, 3);
  REQUIRE(fits && a->dims[1] == b->dims[1] && a->dims[3] == b->dims[2], "an odd attention");
  Value *made = make_from(a, MIXED);
  made->dims[3] = b->dims[3];
  made->of = a->of;
  made->content = b;
  static const int32_t order[4] = {0, 2, 1, 3};
  for (int32_t axis = 0; axis < 4; axis++) made->order[axis] = order[axis];
  return made;
}

const Value *rule_softmax(Step *step) {
  const Value *scores = input(step, 0);
  int64_t axis = integer_attribute(step->node, "axis", graph.opset < 13 ? 1 : -1);
  REQUIRE(axis == -1 || axis == scores->rank - 1, "a softmax over another axis");
  REQUIRE(scores->kind == SCORES, "a softmax of something else");
  Value *made = make_from(scores, ATTENTION_WEIGHTS);
  made->of = scores;
  return made;
}
