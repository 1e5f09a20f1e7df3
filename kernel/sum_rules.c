/* Sums and products of two values, whatever they are. */

#include "rules.h"

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
