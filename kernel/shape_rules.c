/* Operators on shapes, masks and positions: all are computed, for the length in hand. */

#include "rules.h"

bool has_input(Step *step, uint32_t place) {
  return place < step->node->input_count && step->in[place];
}

int32_t as_axis(double axis, int32_t rank) {
  if (axis < 0) axis += rank;
  REQUIRE(axis >= 0 && axis < rank, "an axis that is not there");
  return (int32_t)axis;
}

/* A copy with other dims: the numbers stay where they are. */
const Value *with_dims(const Value *value, int32_t rank, const int32_t *dims) {
  REQUIRE(rank <= MOST_AXES, "a value of too many axes");
  Value *copy = allocate(1, sizeof(Value));
  *copy = *value;
  copy->rank = rank;
  for (int32_t axis = 0; axis < rank; axis++) copy->dims[axis] = dims[axis];
  return copy;
}

const Value *rule_shape(Step *step) {
  const Value *value = input(step, 0);
  int64_t start = integer_attribute(step->node, "start", 0);
  int64_t end = integer_attribute(step->node, "end", value->rank);
  if (start < 0) start += value->rank;
  if (end < 0) end += value->rank;
  if (end > value->rank) end = value->rank;
  REQUIRE(start >= 0 && start <= end, "a part of a shape that is not there");
  int32_t count = (int32_t)(end - start);
  Value *made = make_numbers(1, &count, true);
  for (int32_t i = 0; i < count; i++) made->numbers[i] = value->dims[start + i];
  return made;
}

/* Axes as an attribute (before opset 13), or as the second input. */
static uint32_t read_axes(Step *step, double axes[MOST_AXES]) {
  const Attribute *given = attribute(step->node, "axes");
  if (given) {
    for (uint32_t i = 0; i < given->count; i++) axes[i] = (double)given->integers[i];
    return given->count;
  }
  const Value *numbers = need_numbers(input(step, 1));
  uint32_t count = count_of(numbers);
  REQUIRE(count <= MOST_AXES, "too many axes");
  for (uint32_t i = 0; i < count; i++) axes[i] = number(numbers, i);
  return count;
}

const Value *rule_unsqueeze(Step *step) {
  const Value *value = need_numbers(input(step, 0));
  double axes[MOST_AXES];
  uint32_t count = read_axes(step, axes);
  int32_t rank = value->rank + (int32_t)count, dims[2 * MOST_AXES] = {0};
  for (uint32_t i = 0; i < count; i++) dims[as_axis(axes[i], rank)] = 1;
  for (int32_t axis = 0, from = 0; axis < rank; axis++) {
    if (dims[axis]) continue;
    REQUIRE(from < value->rank, "an axis that is named twice");
    dims[axis] = value->dims[from++];
  }
  return with_dims(value, rank, dims);
}

const Value *rule_squeeze(Step *step) {
  const Value *value = need_numbers(input(step, 0));
  double axes[MOST_AXES];
  uint32_t count = read_axes(step, axes);
  bool goes[MOST_AXES] = {0};
  for (uint32_t i = 0; i < count; i++) {
    int32_t axis = as_axis(axes[i], value->rank);
    REQUIRE(value->dims[axis] == 1, "an axis that is not of size one");
    goes[axis] = true;
  }
  int32_t rank = 0, dims[MOST_AXES];
  for (int32_t axis = 0; axis < value->rank; axis++) {
    if (!goes[axis]) dims[rank++] = value->dims[axis];
  }
  return with_dims(value, rank, dims);
}

/* Of vectors. */
const Value *rule_concat(Step *step) {
  REQUIRE(integer_attribute(step->node, "axis", 1) == 0, "a join along another axis");
  int32_t count = 0, place = 0;
  for (uint32_t i = 0; i < step->node->input_count; i++) {
    const Value *part = need_numbers(input(step, i));
    REQUIRE(part->rank == 1, "a join of more than vectors");
    count += part->dims[0];
    REQUIRE(count <= 65536, "a join of much");
  }
  Value *made = make_numbers(1, &count, true);
  for (uint32_t i = 0; i < step->node->input_count; i++) {
    const Value *part = need_numbers(step->in[i]);
    made->is_whole &= part->is_whole;
    for (int32_t k = 0; k < part->dims[0]; k++) {
      made->numbers[place++] = number(part, (uint32_t)k);
    }
  }
  return made;
}

/* The sizes that a value holds, -1 for an open one. */
void read_shape(const Value *shape, int32_t rank, int32_t *dims) {
  for (int32_t axis = 0; axis < rank; axis++) {
    double size = number(shape, (uint32_t)axis);
    REQUIRE(size >= -1 && size <= INT32_MAX, "an odd size");
    dims[axis] = (int32_t)size;
  }
}

const Value *rule_expand(Step *step) {
  const Value *value = need_numbers(input(step, 0)), *shape = need_numbers(input(step, 1));
  REQUIRE(shape->rank == 1 && shape->dims[0] <= MOST_AXES, "an odd shape");
  int32_t rank = shape->dims[0], dims[MOST_AXES];
  read_shape(shape, rank, dims);
  const Value *wide = broadcast_dims(value, make_uniform(rank, dims, true, 0));
  if (value->is_uniform) {
    return make_uniform(wide->rank, wide->dims, value->is_whole, value->numbers[0]);
  }
  if (same_dims(value, wide)) return value;
  stop(NOT_UNDERSTOOD, "numbers that are repeated");
}

const Value *constant_value(const Tensor *tensor) {
  Value *value = allocate(1, sizeof(Value));
  *value = (Value){.kind = CONSTANT, .rank = tensor->rank, .constant = tensor};
  for (int32_t axis = 0; axis < tensor->rank; axis++) value->dims[axis] = (int32_t)tensor->dims[axis];
  return value;
}

const Value *rule_constant(Step *step) {
  const Attribute *given = attribute(step->node, "value");
  REQUIRE(given && given->tensor, "a constant of another kind");
  return constant_value(given->tensor);
}

const Value *rule_constant_of_shape(Step *step) {
  const Value *shape = need_numbers(input(step, 0));
  const Attribute *given = attribute(step->node, "value");
  REQUIRE(!given || (given->tensor && given->tensor->count == 1), "a constant of another kind");
  REQUIRE(shape->rank == 1 && shape->dims[0] <= MOST_AXES, "an odd shape");
  int32_t rank = shape->dims[0], dims[MOST_AXES];
  read_shape(shape, rank, dims);
  if (!given) return make_uniform(rank, dims, false, 0);
  const Value *filled = as_numbers(constant_value(given->tensor));
  return make_uniform(rank, dims, filled->is_whole, filled->numbers[0]);
}

const Value *rule_range(Step *step) {
  const Value *start = need_numbers(input(step, 0)), *end = need_numbers(input(step, 1));
  bool is_one_number = count_of(start) == 1 && count_of(end) == 1;
  REQUIRE(is_one_number && is_uniform(input(step, 2), 1), "a range with gaps");
  double from = number(start, 0), length = number(end, 0) - from;
  REQUIRE(length >= 0 && length <= 65536, "an odd range");
  int32_t count = (int32_t)length;
  Value *made = make_numbers(1, &count, true);
  for (int32_t i = 0; i < count; i++) made->numbers[i] = from + i;
  return made;
}

/* Along the last axis of one row. */
const Value *rule_cumulative_sum(Step *step) {
  const Value *value = need_numbers(input(step, 0)), *axis = need_numbers(input(step, 1));
  bool is_plain_sum = !integer_attribute(step->node, "exclusive", 0) &&
                      !integer_attribute(step->node, "reverse", 0);
  REQUIRE(is_plain_sum && value->rank > 0 && count_of(axis) == 1, "an odd sum");
  REQUIRE(as_axis(number(axis, 0), value->rank) == value->rank - 1, "a sum along another axis");
  Value *made = make_numbers(value->rank, value->dims, value->is_whole);
  uint32_t length = (uint32_t)value->dims[value->rank - 1];
  for (uint32_t i = 0; i < count_of(made); i++) {
    made->numbers[i] = number(value, i) + (i % length ? made->numbers[i - 1] : 0);
  }
  return made;
}
