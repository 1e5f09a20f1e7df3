/* Values that are computed while a graph is read: shapes, masks, positions and settings. */

#include "values.h"

/* More numbers than any shape, position or mask of one row has. */
#define MOST_NUMBERS (1u << 20)

static uint32_t product_of(int32_t rank, const int32_t *dims) {
  uint64_t count = 1;
  for (int32_t axis = 0; axis < rank; axis++) {
    REQUIRE(dims[axis] >= 0, "a negative size");
    count *= (uint64_t)dims[axis];
    REQUIRE(count <= INT32_MAX, "a value too large");
  }
  return (uint32_t)count;
}

uint32_t count_of(const Value *value) { return product_of(value->rank, value->dims); }

double number(const Value *value, uint32_t place) {
  return value->numbers[value->is_uniform ? 0 : place];
}

bool is_uniform(const Value *value, double number) {
  value = as_numbers(value);
  if (!value) return false;
  uint32_t count = value->is_uniform ? 1 : count_of(value);
  for (uint32_t i = 0; i < count; i++) {
    if (value->numbers[i] != number) return false;
  }
  return count > 0;
}

static Value *make(int32_t rank, const int32_t *dims, bool is_whole, uint32_t count) {
  Value *value = allocate(1, sizeof(Value));
  REQUIRE(rank <= MOST_AXES, "a value of too many axes");
  *value = (Value){.kind = NUMBERS, .rank = rank, .is_whole = is_whole};
  for (int32_t axis = 0; axis < rank; axis++) value->dims[axis] = dims[axis];
  value->is_uniform = product_of(rank, dims) == 1;
  value->numbers = allocate(count, sizeof(double));
  return value;
}

Value *make_numbers(int32_t rank, const int32_t *dims, bool is_whole) {
  uint32_t count = product_of(rank, dims);
  REQUIRE(count <= MOST_NUMBERS, "more numbers than the kernel computes");
  return make(rank, dims, is_whole, count);
}

Value *make_uniform(int32_t rank, const int32_t *dims, bool is_whole, double number) {
  Value *value = make(rank, dims, is_whole, 1);
  value->is_uniform = true;
  value->numbers[0] = number;
  return value;
}

Value *make_scalar(bool is_whole, double number) { return make_uniform(0, NULL, is_whole, number); }

const Value *as_numbers(const Value *value) {
  if (!value || value->kind == NUMBERS) return value;
  if (value->kind != CONSTANT) return NULL;
  const Tensor *tensor = value->constant;
  bool is_whole = tensor->type != FLOAT32 && tensor->type != FLOAT64;
  if (tensor->count > (is_whole ? MOST_NUMBERS / 16 : 1)) return NULL; /* weights */
  Value *read = make_numbers(value->rank, value->dims, is_whole);
  read_numbers(tensor, read->numbers);
  return read;
}

const Value *need_numbers(const Value *value) {
  const Value *numbers = as_numbers(value);
  REQUIRE(numbers, "a setting that is no number");
  return numbers;
}

bool same_dims(const Value *a, const Value *b) {
  if (a->rank != b->rank) return false;
  for (int32_t axis = 0; axis < a->rank; axis++) {
    if (a->dims[axis] != b->dims[axis]) return false;
  }
  return true;
}

/* The size along an axis counted from the end; 1 if there is none. */
static int32_t size_from_end(const Value *value, int32_t axis) {
  return axis < value->rank ? value->dims[value->rank - 1 - axis] : 1;
}

Value *broadcast_dims(const Value *a, const Value *b) {
  Value *wide = allocate(1, sizeof(Value));
  wide->rank = a->rank > b->rank ? a->rank : b->rank;
  for (int32_t axis = 0; axis < wide->rank; axis++) {
    int32_t one = size_from_end(a, axis), other = size_from_end(b, axis);
    REQUIRE(one == other || one == 1 || other == 1, "sizes that do not fit");
    wide->dims[wide->rank - 1 - axis] = one == 1 ? other : one;
  }
  return wide;
}

/* Where the number for a place of a wider value stands. */
static uint32_t place_in(const Value *value, const Value *wide, uint32_t place) {
  uint32_t found = 0, step = 1;
  for (int32_t axis = 0; axis < wide->rank; axis++) {
    uint32_t size = (uint32_t)size_from_end(wide, axis);
    if (size_from_end(value, axis) > 1) found += place % size * step;
    step *= (uint32_t)size_from_end(value, axis);
    place /= size;
  }
  return found;
}

const Value *elementwise(const Value *a, const Value *b, bool is_whole,
                         double (*compute)(double, double)) {
  const Value *wide = broadcast_dims(a, b);
  if (a->is_uniform && b->is_uniform) {
    double only = compute(a->numbers[0], b->numbers[0]);
    return make_uniform(wide->rank, wide->dims, is_whole, only);
  }
  Value *made = make_numbers(wide->rank, wide->dims, is_whole);
  for (uint32_t i = 0; i < count_of(made); i++) {
    double one = number(a, place_in(a, wide, i)), other = number(b, place_in(b, wide, i));
    made->numbers[i] = compute(one, other);
  }
  return made;
}
