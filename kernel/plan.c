/* From what a graph answers back to its embeddings: which weights do what. */

#include "plan.h"

Plan plan;

static void take(Tensor *into, const Tensor *from) {
  if (from) *into = *from;
}

static void take_linear(LinearPlan *into, const Value *linear) {
  REQUIRE(linear->kind == LINEAR && linear->scale == 1, "an answer that is no product");
  take(&into->weight, linear->weight);
  take(&into->zero, linear->zero);
  take(&into->factor, linear->factor);
  take(&into->bias, linear->bias);
  into->is_float = linear->is_float;
  into->is_transposed = linear->is_transposed;
  into->inputs = linear->weight->dims[linear->is_transposed];
  into->outputs = linear->weight->dims[!linear->is_transposed];
}

static void take_norm(NormPlan *into, const Value *state) {
  take(&into->weight, state->weight);
  take(&into->bias, state->bias);
  into->epsilon = (float)state->epsilon;
}

static const Value *need(const Value *value, Kind kind, const char *reason) {
  REQUIRE(value->kind == kind && value->scale == 1, reason);
  return value;
}

/* Products of the first token, from the last to the first; answers the states. */
static const Value *take_head(const Value *answer) {
  const Value *linears[MOST_HEAD_PRODUCTS];
  uint32_t count = 0;
  Activation activation = NO_ACTIVATION, activations[MOST_HEAD_PRODUCTS];
  for (;;) {
    REQUIRE(count < MOST_HEAD_PRODUCTS, "a head of many products");
    activations[count] = activation;
    linears[count] = need(answer, LINEAR, "an answer that is no product");
    answer = linears[count++]->of;
    if (answer->kind != ACTIVE) break;
    activation = answer->activation;
    answer = answer->of;
  }
  for (uint32_t i = 0; i < count; i++) {
    take_linear(&plan.head[i], linears[count - 1 - i]);
    plan.head[i].activation = activations[count - 1 - i];
  }
  plan.head_count = count;
  plan.labels = plan.head[count - 1].outputs;
  REQUIRE(plan.labels >= 1 && plan.labels <= 2, "an answer of other than one or two numbers");
  return need(answer, FIRST, "an answer that is not read off the first token")->of;
}

static void take_attention(LayerPlan *layer, const Value *context, const Value *state) {
  const Value *scores = context->of, *query = scores->of, *key = scores->key;
  const Value *content = context->content;
  const Value *parts[] = {query->of, key->of, content->of};
  for (uint32_t i = 0; i < 3; i++) {
    need(parts[i], LINEAR, "attention of something else");
    REQUIRE(parts[i]->of->root == state->root, "attention of another state");
  }
  take_linear(&layer->query, query->of);
  take_linear(&layer->key, key->of);
  take_linear(&layer->content, content->of);
  layer->scale = (float)scores->scale;
  uint32_t heads = (uint32_t)scores->dims[1];
  REQUIRE(!plan.heads || plan.heads == heads, "layers of other heads");
  plan.heads = heads;
}

/* One layer, whose answer is `state`; answers the state before it. */
static const Value *take_layer(LayerPlan *layer, const Value *state) {
  take_norm(&layer->norm, state);
  const Value *sum = need(state->of, SUM, "a norm of something else");
  const Value *down = sum->of, *between = sum->content;
  const Value *active = down->of;
  bool is_active = active->kind == ACTIVE && active->activation != TANH;
  REQUIRE(is_active && active->of->of == between, "a layer of another kind");
  take_linear(&layer->down, down);
  take_linear(&layer->up, active->of);
  layer->up.activation = active->activation;

  take_norm(&layer->attention_norm, between);
  const Value *mixed = need(between->of, SUM, "a norm of something else");
  const Value *before = mixed->content;
  take_linear(&layer->output, mixed->of);
  take_attention(layer, need(mixed->of->of, CONTEXT, "a layer without attention"), before);
  return before;
}

static void take_tables(const Value *embedding) {
  for (int32_t which = 0; which < TABLES; which++) {
    const Table *table = &embedding->tables[which];
    TablePlan *into = &plan.tables[which];
    if (!table->rows) continue;
    take(&into->rows, table->rows);
    into->scale = (float)table->scale;
    into->zero = (float)table->zero;
    into->first_row_only = table->first_row_only;
  }
  REQUIRE(embedding->tables[WORDS].rows, "a model that does not look at the tokens");
}

static void check_sizes(void) {
  uint32_t hidden = plan.hidden, size = hidden / plan.heads;
  REQUIRE(hidden % plan.heads == 0 && size % 8 == 0, "heads of an odd size");
  for (uint32_t i = 0; i < plan.layer_count; i++) {
    LayerPlan *layer = &plan.layers[i];
    const LinearPlan *parts[] = {&layer->query, &layer->key, &layer->content, &layer->output};
    for (uint32_t k = 0; k < 4; k++) {
      REQUIRE(parts[k]->inputs == hidden && parts[k]->outputs == hidden, "odd attention");
    }
    REQUIRE(layer->up.outputs % 8 == 0 && layer->up.outputs <= 65536, "an odd layer");
  }
  REQUIRE(hidden <= 16384, "very large states");
}

void make_plan(const Value *answer) {
  __builtin_memset(&plan, 0, sizeof plan);
  REQUIRE(answer->rank == 2 && answer->dims[0] == 1, "an answer of another shape");
  const Value *states[MOST_LAYERS + 1];
  states[0] = take_head(answer);
  plan.hidden = (uint32_t)states[0]->dims[2];
  LayerPlan scratch = {0};
  for (const Value *state = states[0]; state->of->kind == SUM;) {
    REQUIRE(plan.layer_count < MOST_LAYERS, "a model of many layers");
    state = take_layer(&scratch, state);
    states[++plan.layer_count] = state;
  }
  REQUIRE(plan.layer_count, "a model without layers");
  for (uint32_t i = 0; i < plan.layer_count; i++) {
    take_layer(&plan.layers[plan.layer_count - 1 - i], states[i]);
  }
  take_norm(&plan.embedding_norm, states[plan.layer_count]);
  take_tables(need(states[plan.layer_count]->of, EMBEDDING, "a norm of something else"));
  check_sizes();
}
