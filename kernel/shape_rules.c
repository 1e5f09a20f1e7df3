/* Operators on shapes, masks and positions: all are computed, for the length in hand. */

#include "rules.h"

static const Value *input(Step *step, uint32_t place) {
  REQUIRE(place < step->node->input_count && step->in[place], "an operator without its input");
  return step->in[place];
}

static bool has_input(Step *step, uint32_t place) {
  return place < step->node->input_count && step->in[place];
}

static int32_t as_axis(double axis, int32_t rank) {
  if (axis < 0) axis += rank;
  REQUIRE(axis >= 0 && axis < rank, "an axis that is not there");
  return (int32_t)axis;
}

/* A copy with other dims: the numbers stay where they are. */
static const Value *with_dims(const Value *value, int32_t rank, const int32_t *dims) {
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

/* The numbers of a value along one axis, from `start`, in a new order or number. */
static const Value *along_axis(const Value *value, int32_t axis, int32_t count,
                               double (*place_of)(const void *, int32_t), const void *how) {
  int32_t dims[MOST_AXES];
  for (int32_t i = 0; i < value->rank; i++) dims[i] = value->dims[i];
  dims[axis] = count;
  if (value->is_uniform) {
    return make_uniform(value->rank, dims, value->is_whole, value->numbers[0]);
  }
  uint32_t inner = 1;
  for (int32_t i = axis + 1; i < value->rank; i++) inner *= (uint32_t)dims[i];
  Value *made = make_numbers(value->rank, dims, value->is_whole);
  for (uint32_t i = 0; i < count_of(made); i++) {
    uint32_t outer = i / inner / (uint32_t)count;
    uint32_t from = (uint32_t)place_of(how, (int32_t)(i / inner % (uint32_t)count));
    made->numbers[i] = value->numbers[(outer * (uint32_t)value->dims[axis] + from) * inner + i % inner];
  }
  return made;
}

static double from_start(const void *start, int32_t place) {
  return *(const int32_t *)start + place;
}

static int32_t clamp_to(double place, int32_t size) {
  if (place < 0) place += size;
  return place < 0 ? 0 : place > size ? size : (int32_t)place;
}

const Value *rule_slice(Step *step) {
  const Value *value = need_numbers(input(step, 0));
  const Value *starts = need_numbers(input(step, 1)), *ends = need_numbers(input(step, 2));
  uint32_t count = count_of(starts);
  REQUIRE(count == count_of(ends), "a part with other ends than starts");
  const Value *axes = has_input(step, 3) ? need_numbers(step->in[3]) : NULL;
  REQUIRE(!axes || count_of(axes) == count, "a part along other axes");
  REQUIRE(!has_input(step, 4) || is_uniform(step->in[4], 1), "a part with gaps");
  for (uint32_t i = 0; i < count; i++) {
    int32_t axis = as_axis(axes ? number(axes, i) : i, value->rank), size = value->dims[axis];
    int32_t start = clamp_to(number(starts, i), size), end = clamp_to(number(ends, i), size);
    value = along_axis(value, axis, end > start ? end - start : 0, from_start, &start);
  }
  return value;
}

static double from_index(const void *index, int32_t place) {
  return number(index, (uint32_t)place);
}

const Value *gather_numbers(const Value *data, const Value *index, int64_t axis_given) {
  int32_t axis = as_axis((double)axis_given, data->rank), count = (int32_t)count_of(index);
  Value *places = make_numbers(1, &count, true);
  for (int32_t i = 0; i < count; i++) {
    places->numbers[i] = as_axis(number(index, (uint32_t)i), data->dims[axis]);
  }
  const Value *found = along_axis(data, axis, count, from_index, places);
  int32_t rank = 0, dims[2 * MOST_AXES];
  for (int32_t i = 0; i < axis; i++) dims[rank++] = data->dims[i];
  for (int32_t i = 0; i < index->rank; i++) dims[rank++] = index->dims[i];
  for (int32_t i = axis + 1; i < data->rank; i++) dims[rank++] = data->dims[i];
  return with_dims(found, rank, dims);
}

/* Read off a value's dims; see rule_reshape. */
static void read_shape(const Value *shape, int32_t rank, int32_t *dims) {
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

/* The first token with its axis kept: what follows is the same value, of one token. It cannot be
   attended to, since heads are split for all tokens only. */
static const Value *cut_to_first(const Value *value) {
  Value *cut = allocate(1, sizeof(Value));
  *cut = *value;
  cut->dims[1] = 1;
  return cut;
}

/* Of numbers; of a table, rows; of the states, the first token. */
const Value *rule_gather(Step *step) {
  const Value *data = input(step, 0), *index = need_numbers(input(step, 1));
  int64_t axis = integer_attribute(step->node, "axis", 0);
  if (data->kind == CONSTANT && data->rank == 2 && index->rank > 0) {
    REQUIRE(axis == 0, "a table that is looked up another way");
    return look_up(data, index);
  }
  bool is_state = is_plain(data, STATE) || is_plain(data, CONTEXT);
  if (is_state && data->rank == 3 && axis == 1 && index->rank == 1 && is_uniform(index, 0)) {
    REQUIRE(index->dims[0] == 1, "the first token several times");
    return cut_to_first(data);
  }
  if (!is_plain(data, STATE)) return gather_numbers(need_numbers(data), index, axis);
  REQUIRE(data->rank == 3 && axis == 1, "a part of the states");
  REQUIRE(index->rank == 0 && is_uniform(index, 0), "another token than the first");
  Value *first = make_from(data, FIRST);
  first->rank = 2;
  first->dims[1] = data->dims[2];
  first->of = data;
  return first;
}

const Value *reshape_to(const Value *value, const Value *shape, bool zero_copies) {
  REQUIRE(shape->rank == 1 && shape->dims[0] <= MOST_AXES, "an odd shape");
  int32_t rank = shape->dims[0], dims[MOST_AXES], open = -1;
  read_shape(shape, rank, dims);
  uint64_t known = 1;
  for (int32_t axis = 0; axis < rank; axis++) {
    if (!dims[axis] && zero_copies && axis < value->rank) dims[axis] = value->dims[axis];
    if (dims[axis] < 0) {
      REQUIRE(open < 0, "a shape with two open sizes");
      open = axis;
    } else {
      known *= (uint64_t)dims[axis];
      REQUIRE(known <= INT32_MAX, "an odd shape");
    }
  }
  uint32_t count = count_of(value);
  if (open >= 0) {
    REQUIRE(known && count % known == 0, "a shape that does not fit");
    dims[open] = (int32_t)(count / known);
    known *= (uint64_t)dims[open];
  }
  REQUIRE(known == count, "a shape that does not fit");
  return with_dims(value, rank, dims);
}

const Value *rule_reshape(Step *step) {
  const Value *value = input(step, 0), *numbers = as_numbers(value);
  bool zero_copies = !integer_attribute(step->node, "allowzero", 0);
  const Value *shape = need_numbers(input(step, 1));
  const Value *made = reshape_to(numbers ? numbers : value, shape, zero_copies);
  if (numbers) return made;
  return same_dims(made, value) ? value : split_heads(value, made);
}

const Value *rule_transpose(Step *step) {
  const Attribute *order = attribute(step->node, "perm");
  REQUIRE(order, "an order of axes that is not told");
  return reorder_axes(input(step, 0), order);
}
