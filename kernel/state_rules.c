/* Embeddings and norms: what comes out of each operator is named in values.h. */

#include "rules.h"

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

const Value *add_embeddings(const Value *a, const Value *b) {
  Value *made = make_from(broadcast_dims(a, b), EMBEDDING);
  REQUIRE(last_dim(a) == last_dim(b), "embeddings of other sizes");
  for (int32_t which = 0; which < TABLES; which++) {
    bool is_twice = a->tables[which].rows && b->tables[which].rows;
    REQUIRE(!is_twice, "two tables that are looked up by the same");
    made->tables[which] = (a->tables[which].rows ? a : b)->tables[which];
  }
  return made;
}

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
