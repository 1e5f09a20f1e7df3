/* Recognises a graph by what its operators do. It is read with token ids of our own, several times:
   of a few tokens, of as many as the model has positions, and with padding inside, if it matters.
   Each time, shapes, masks and positions come out as numbers, and hidden states as descriptions
   (rules.h); they must describe the same model. */

#include "plan.h"

#include "rules.h"

#define FEW_TOKENS 7
#define FEW_TOKENS_AND_PADDING 9
#define MOST_TOKENS 8192

Scenario scenario;

static void set_value(const Value **values, uint32_t name, const Value *value) {
  if (!name) return;
  REQUIRE(!values[name], "a name that is given twice");
  values[name] = value;
}

static void set_inputs(const Value **values) {
  static const char *names[] = {"input_ids", "attention_mask", "token_type_ids"};
  const int32_t dims[2] = {1, scenario.length};
  for (uint32_t i = 0; i < graph.input_count; i++) {
    uint32_t name = graph.inputs[i];
    if (graph.constants[name]) continue; /* a constant that could be given anew */
    Value *value = NULL;
    for (uint32_t k = 0; k < 3; k++) {
      if (name != name_of(names[k])) continue;
      value = k == 1 ? make_uniform(2, dims, true, 1) : make_numbers(2, dims, true);
      const double *numbers = k == 0 ? scenario.ids : scenario.types;
      for (int32_t t = 0; k != 1 && t < scenario.length; t++) value->numbers[t] = numbers[t];
    }
    REQUIRE(value, "an input that no reranker has");
    set_value(values, name, value);
  }
}

/* What the graph answers in this scenario. */
static const Value *answer_of_graph(void) {
  const Value **values = allocate(MOST_NAMES, sizeof(Value *));
  set_inputs(values);
  for (uint32_t name = 1; name <= graph.name_count; name++) {
    if (graph.constants[name]) set_value(values, name, constant_value(graph.constants[name]));
  }
  for (uint32_t i = 0; i < graph.node_count; i++) {
    Step step = {.node = &graph.nodes[i]};
    for (uint32_t k = 0; k < step.node->input_count; k++) {
      uint32_t name = step.node->inputs[k];
      REQUIRE(!name || values[name], "a value that is used before it is made");
      step.in[k] = values[name];
    }
    apply_rule(&step);
    for (uint32_t k = 0; k < step.node->output_count; k++) {
      REQUIRE(step.out[k] || !step.node->outputs[k], "an operator with an unknown output");
      set_value(values, step.node->outputs[k], step.out[k]);
    }
  }
  REQUIRE(graph.output && values[graph.output], "a graph without an answer");
  return values[graph.output];
}

/* Ids that no position or type looks like, and types that are no zeros. */
static void read_with(int32_t length, bool with_padding) {
  uint32_t mark = memory_mark();
  double *ids = allocate((size_t)length, sizeof(double));
  double *types = allocate((size_t)length, sizeof(double));
  for (int32_t i = 0; i < length; i++) {
    ids[i] = 100000 + i * 7919 % 10007;
    types[i] = i % 3 == 1;
    if (with_padding && i % 4 == 2) ids[i] = scenario.padding;
  }
  scenario.length = length;
  scenario.ids = ids;
  scenario.types = types;
  scenario.has_padding = with_padding;
  make_plan(answer_of_graph());
  memory_release(mark);
}

static bool same_plan(const Plan *a, const Plan *b) {
  const uint8_t *one = (const uint8_t *)a, *other = (const uint8_t *)b;
  for (size_t i = 0; i < sizeof(Plan); i++) {
    if (one[i] != other[i]) return false;
  }
  return true;
}

static void read_again(int32_t length, bool with_padding) {
  Plan *before = allocate(1, sizeof(Plan));
  *before = plan;
  read_with(length, with_padding);
  REQUIRE(same_plan(before, &plan), "a model that changes with the length");
}

static bool graph_has_input(const char *name) {
  for (uint32_t i = 0; i < graph.input_count; i++) {
    if (graph.inputs[i] == name_of(name)) return true;
  }
  return false;
}

void recognise(void) {
  read_graph();
  scenario.padding = -1;
  scenario.first_position = -1;
  read_with(FEW_TOKENS, false);
  const Tensor *positions = &plan.tables[POSITIONS].rows;
  int64_t longest = MOST_TOKENS;
  if (positions->encoding) longest = (int64_t)positions->dims[0] - scenario.first_position;
  REQUIRE(longest >= FEW_TOKENS_AND_PADDING, "a model for very short texts");
  read_again(longest < MOST_TOKENS ? (int32_t)longest : MOST_TOKENS, false);
  if (scenario.padding >= 0) read_again(FEW_TOKENS_AND_PADDING, true);
  plan.first_position = scenario.first_position;
  plan.padding = (int32_t)scenario.padding;
  plan.positions_skip_padding = scenario.positions_skip_padding;
  plan.has_types = graph_has_input("token_type_ids") && !plan.tables[TYPES].first_row_only;
}
