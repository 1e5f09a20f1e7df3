/* Operators that pick numbers, or give them other axes. */

#include "rules.h"

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
