/* Operators that work number by number. Of shapes and masks they are computed; of hidden states,
   a number is folded into the scale, and the rest is for sum_rules.c. */

#include "rules.h"

static double sum(double a, double b) { return a + b; }
static double difference(double a, double b) { return a - b; }
static double times(double a, double b) { return a * b; }
static double quotient(double a, double b) { return a / b; }
static double whole_quotient(double a, double b) { return b ? __builtin_trunc(a / b) : 0; }
static double equal(double a, double b) { return a == b; }
static double less(double a, double b) { return a < b; }
static double greater(double a, double b) { return a > b; }
static double less_or_equal(double a, double b) { return a <= b; }
static double greater_or_equal(double a, double b) { return a >= b; }
static double both(double a, double b) { return a && b; }
static double either(double a, double b) { return a || b; }
static double root(double a, double b) { return __builtin_sqrt(a) + 0 * b; }

/* Compute, if both inputs are numbers; else NULL. */
static const Value *computed(Step *step, double (*compute)(double, double), bool gives_truth) {
  REQUIRE(step->node->input_count == 2, "an operator of two inputs with others");
  const Value *a = as_numbers(input(step, 0)), *b = as_numbers(input(step, 1));
  if (!a || !b) return NULL;
  return elementwise(a, b, gives_truth || (a->is_whole && b->is_whole), compute);
}

static const Value *compare(Step *step, double (*compute)(double, double)) {
  const Value *made = computed(step, compute, true);
  REQUIRE(made, "a comparison of hidden states");
  return made;
}

const Value *rule_add(Step *step) {
  const Value *made = computed(step, sum, false);
  return made ? made : add_terms(step->in[0], step->in[1]);
}

const Value *rule_mul(Step *step) {
  const Value *made = computed(step, times, false);
  return made ? made : multiply_terms(step->in[0], step->in[1]);
}

/* x - mean(x) */
const Value *rule_sub(Step *step) {
  const Value *made = computed(step, difference, false);
  if (made) return made;
  const Value *a = step->in[0], *b = step->in[1];
  REQUIRE(is_plain(b, MEAN) && b->of == a, "a difference of hidden states");
  Value *centered = make_from(a, CENTERED);
  centered->of = a;
  return centered;
}

/* By a number, or by the deviation. */
const Value *rule_div(Step *step) {
  const Value *one = input(step, 0), *other = as_numbers(input(step, step->node->input_count - 1));
  bool is_whole = other && other->is_whole && as_numbers(one) && as_numbers(one)->is_whole;
  const Value *made = computed(step, is_whole ? whole_quotient : quotient, false);
  if (made) return made;
  const Value *a = step->in[0], *b = step->in[1];
  if (other) {
    REQUIRE(other->is_uniform && same_dims(broadcast_dims(a, other), a), "an odd quotient");
    return scaled(a, 1 / other->numbers[0]);
  }
  REQUIRE(is_plain(a, CENTERED) && is_plain(b, DEVIATION) && a->of == b->of, "an odd quotient");
  Value *normed = make_from(a, NORMED);
  normed->of = a->of;
  normed->epsilon = b->epsilon;
  return normed;
}

const Value *rule_pow(Step *step) {
  const Value *a = input(step, 0);
  REQUIRE(step->node->input_count == 2 && is_uniform(step->in[1], 2), "an odd power");
  if (as_numbers(a)) return elementwise(as_numbers(a), as_numbers(a), false, times);
  return multiply_terms(a, a);
}

const Value *rule_sqrt(Step *step) {
  const Value *a = input(step, 0), *numbers = as_numbers(a);
  if (numbers) return elementwise(numbers, make_scalar(false, 0), false, root);
  REQUIRE(is_plain(a, VARIANCE) && a->epsilon > 0, "a root of hidden states");
  Value *made = make_from(a, DEVIATION);
  made->of = a->of;
  made->epsilon = a->epsilon;
  return made;
}

/* Whether a value is the token ids themselves. */
static bool is_ids(const Value *value) {
  if (value->kind != NUMBERS || value->is_uniform) return false;
  if (count_of(value) != (uint32_t)scenario.length) return false;
  for (int32_t i = 0; i < scenario.length; i++) {
    if (value->numbers[i] != scenario.ids[i]) return false;
  }
  return true;
}

const Value *rule_equal(Step *step) {
  const Value *other = as_numbers(input(step, 1));
  if (is_ids(input(step, 0)) && other) {
    bool is_known = scenario.padding == -1 || scenario.padding == other->numbers[0];
    REQUIRE(other->is_uniform && other->numbers[0] >= 0 && is_known, "an odd use of token ids");
    scenario.padding = other->numbers[0];
  }
  return compare(step, equal);
}
const Value *rule_less(Step *step) { return compare(step, less); }
const Value *rule_greater(Step *step) { return compare(step, greater); }
const Value *rule_less_or_equal(Step *step) { return compare(step, less_or_equal); }
const Value *rule_greater_or_equal(Step *step) { return compare(step, greater_or_equal); }
const Value *rule_and(Step *step) { return compare(step, both); }
const Value *rule_or(Step *step) { return compare(step, either); }

const Value *rule_not(Step *step) {
  return elementwise(need_numbers(input(step, 0)), make_scalar(true, 0), true, equal);
}

/* A choice that is the same everywhere picks one of two; of numbers, place by place. */
const Value *rule_where(Step *step) {
  const Value *choice = need_numbers(input(step, 0));
  const Value *yes = input(step, 1), *no = input(step, 2);
  const Value *wide = broadcast_dims(broadcast_dims(choice, yes), no);
  if (choice->is_uniform) {
    const Value *picked = choice->numbers[0] ? yes : no, *numbers = as_numbers(picked);
    if (same_dims(picked, wide)) return picked;
    REQUIRE(numbers && numbers->is_uniform, "a choice that changes the shape");
    return make_uniform(wide->rank, wide->dims, numbers->is_whole, numbers->numbers[0]);
  }
  /* choice * yes + (not choice) * no, without infinities times nothing */
  yes = need_numbers(yes), no = need_numbers(no);
  REQUIRE(same_dims(choice, wide), "a choice that changes the shape");
  const Value *zero = make_uniform(wide->rank, wide->dims, yes->is_whole, 0);
  const Value *all_yes = elementwise(zero, yes, yes->is_whole, sum);
  const Value *all_no = elementwise(zero, no, no->is_whole, sum);
  Value *made = make_numbers(wide->rank, wide->dims, yes->is_whole);
  for (uint32_t i = 0; i < count_of(made); i++) {
    made->numbers[i] = number(choice->numbers[i] ? all_yes : all_no, i);
  }
  return made;
}

static double truncated(double a, double b) { return __builtin_trunc(a) + 0 * b; }
static double as_truth(double a, double b) { return a != b; }

/* Of hidden states: between float types, or from the products' integers. */
const Value *rule_cast(Step *step) {
  const Value *value = input(step, 0), *numbers = as_numbers(value);
  int64_t to = integer_attribute(step->node, "to", 0);
  bool is_whole = to == INT64 || to == INT32 || to == INT8 || to == UINT8;
  REQUIRE(is_whole || to == BOOL || to == FLOAT32, "a cast to a type that int8 models do not have");
  if (!numbers) {
    REQUIRE(to == FLOAT32 && value->kind != CONSTANT, "a cast of hidden states");
    return value;
  }
  const Value *zero = make_scalar(true, 0);
  if (to == BOOL) return elementwise(numbers, zero, true, as_truth);
  return elementwise(numbers, zero, is_whole, is_whole ? truncated : sum);
}

const Value *rule_same(Step *step) {
  REQUIRE(step->node->output_count == 1, "an operator with an unknown output");
  integer_attribute(step->node, "seed", 0); /* Dropout: at rest when a model is used */
  attribute(step->node, "ratio");
  REQUIRE(step->node->input_count == 1 || !is_uniform(input(step, 2), 1), "a model in training");
  return input(step, 0);
}

/* Attention weights are numbers: the largest of a row is exp(0). */
const Value *rule_is_nan(Step *step) {
  const Value *value = input(step, 0);
  REQUIRE(is_plain(value, ATTENTION_WEIGHTS), "a question about other values");
  return make_uniform(value->rank, value->dims, true, 0);
}
