/* Heads, scores and their softmax. */

#include "rules.h"

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
