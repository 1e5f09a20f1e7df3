/* One pair of texts from token ids to logits, and what the host calls. */

#include "model.h"
#include "simd.h"

#define EXPORT(name) __attribute__((export_name(name)))

/* Where a run computes; as large as the longest one so far needs. */
static struct {
  uint32_t tokens; /* that there is room for */
  int64_t *ids, *types;
  float *states; /* (tokens, hidden) */
  float *parts;  /* (tokens, 3 hidden): query, key, content */
  float *mixed;  /* (tokens, hidden) */
  float *inner;  /* (BLOCK_ROWS, inner) */
  Rows rows;     /* BLOCK_ROWS */
  AttentionSpace attention;
  float *head[2];
} space;

static uint32_t model_end; /* a mark: the space begins here */
static bool is_loaded;

/* Tell of a file; its name is what the graph calls it. The first is the graph. */
EXPORT("add_file") void add_file(const char *name, uint32_t name_length, uint32_t size) {
  REQUIRE(file_count < MOST_FILES, "weights in very many files");
  files[file_count++] = (File){name, name_length, size};
}

EXPORT("allocate") void *allocate_bytes(uint32_t count) { return allocate(count, 1); }

/* Load the model from the files; traps if the kernel does not understand it. */
EXPORT("load") void load_files(void) {
  uint32_t mark = memory_mark();
  recognise();
  memory_release(mark); /* the plan says where the weights are */
  load_model();
  model_end = memory_mark();
  is_loaded = true;
}

EXPORT("labels") uint32_t labels(void) { return model.labels; }
EXPORT("longest") uint32_t longest(void) { return model.longest; }

static void make_space(uint32_t tokens) {
  uint32_t hidden = model.hidden, size = model.size;
  uint32_t widest = rounded_up(model.inner, PANEL);
  memory_release(model_end);
  space.tokens = 0; /* should memory end now */
  space.ids = allocate(tokens, sizeof(int64_t));
  space.types = allocate(tokens, sizeof(int64_t));
  space.states = allocate(tokens, hidden * sizeof(float));
  space.parts = allocate(tokens, 3 * hidden * sizeof(float));
  space.mixed = allocate(tokens, hidden * sizeof(float));
  space.inner = allocate(BLOCK_ROWS, widest * sizeof(float));
  space.rows.values = allocate(BLOCK_ROWS, widest * sizeof(Quantised));
  space.rows.scales = allocate(BLOCK_ROWS, sizeof(float));
  space.rows.zeros = allocate(BLOCK_ROWS, sizeof(int32_t));
  space.rows.sums = allocate(BLOCK_ROWS, sizeof(int32_t));
  uint32_t columns = rounded_up(tokens, PANEL);
  space.attention.keys = allocate(columns, size * sizeof(float));
  space.attention.contents = allocate(columns, size * sizeof(float));
  space.attention.queries = allocate(TILE_ROWS, size * sizeof(float));
  space.attention.weights = allocate(TILE_ROWS, columns * sizeof(float));
  space.attention.mixed = allocate(TILE_ROWS, size * sizeof(float));
  for (uint32_t i = 0; i < 2; i++) space.head[i] = allocate(widest, sizeof(float));
  space.tokens = tokens;
}

/* Where the host puts ids, 64 bits each, for a run of so many tokens; their types follow at `types`. */
EXPORT("ids") int64_t *ids_for(uint32_t tokens) {
  if (!is_loaded || !tokens || tokens > model.longest) return NULL;
  if (tokens > space.tokens) make_space(rounded_up(tokens, 64));
  return space.ids;
}
EXPORT("types") int64_t *types_of_ids(void) { return space.types; }

/* ---- the run ---- */

static v128_t four_numbers(const EmbeddingTable *table, uint32_t place) {
  if (table->type == FLOAT32) return load((const float *)table->bytes + place);
  const uint8_t *bytes = (const uint8_t *)table->bytes + place;
  v128_t four = wasm_v128_load32_zero(bytes);
  four = table->type == INT8 ? wasm_i16x8_extend_low_i8x16(four) : wasm_u16x8_extend_low_u8x16(four);
  v128_t wide = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(four));
  return mul(sub(wide, splat(table->zero)), splat(table->scale));
}

/* Add the row of a table to a state; false if it has no such row. */
static bool add_row(const EmbeddingTable *table, int64_t row, float *state) {
  if (!table->bytes) return true;
  if (table->first_row_only) row = 0;
  if (row < 0 || row >= table->rows) return false;
  uint32_t start = (uint32_t)row * model.hidden;
  for (uint32_t i = 0; i < model.hidden; i += 4) {
    store(state + i, add(load(state + i), four_numbers(table, start + i)));
  }
  return true;
}

static bool embed(uint32_t tokens) {
  int64_t before = 0;
  for (uint32_t token = 0; token < tokens; token++) {
    float *state = space.states + token * model.hidden;
    int64_t position = plan.first_position + token;
    if (plan.positions_skip_padding) {
      position = plan.padding + (space.ids[token] == plan.padding ? 0 : ++before);
    }
    for (uint32_t i = 0; i < model.hidden; i++) state[i] = 0;
    bool has_rows = add_row(&model.tables[WORDS], space.ids[token], state) &&
                    add_row(&model.tables[TYPES], space.types[token], state) &&
                    add_row(&model.tables[POSITIONS], position, state);
    if (!has_rows) return false;
    normalise(state, model.hidden, &model.embedding_norm);
  }
  return true;
}

static void multiply_all(const Product *product, uint32_t rows, Target target) {
  multiply(product, &space.rows, rows, 0, product->panels, target);
}

/* Query, key and content of a block; queries only where somebody asks. */
static void make_parts(const Layer *layer, uint32_t first, uint32_t rows, uint32_t queries) {
  uint32_t hidden = model.hidden, panels = hidden / PANEL;
  const Product *product = &layer->query_key_content;
  Target target = {space.parts + first * 3 * hidden, 3 * hidden, NULL};
  quantise(space.states + first * hidden, hidden, rows, product, &space.rows);
  multiply(product, &space.rows, rows, panels, product->panels, target);
  if (first >= queries) return;
  uint32_t asking = queries - first < rows ? queries - first : rows;
  multiply(product, &space.rows, asking, 0, panels, target);
}

static void normalise_rows(float *states, uint32_t rows, const Norm *norm) {
  for (uint32_t row = 0; row < rows; row++) normalise(states + row * model.hidden, model.hidden, norm);
}

/* What comes after attention, for a block: states (rows, hidden) in place. */
static void finish_layer(const Layer *layer, const float *mixed, float *states, uint32_t rows) {
  uint32_t hidden = model.hidden, inner = layer->up.outputs;
  quantise(mixed, hidden, rows, &layer->output, &space.rows);
  multiply_all(&layer->output, rows, (Target){states, hidden, states});
  normalise_rows(states, rows, &layer->attention_norm);
  quantise(states, hidden, rows, &layer->up, &space.rows);
  multiply_all(&layer->up, rows, (Target){space.inner, inner, NULL});
  quantise(space.inner, inner, rows, &layer->down, &space.rows);
  multiply_all(&layer->down, rows, (Target){states, hidden, states});
  normalise_rows(states, rows, &layer->norm);
}

static uint32_t block_of(uint32_t first, uint32_t count) {
  return count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
}

/* One layer for all tokens; after attention only for the first `queries` of them. */
static void run_layer(const Layer *layer, uint32_t tokens, uint32_t queries) {
  uint32_t hidden = model.hidden;
  for (uint32_t first = 0; first < tokens; first += BLOCK_ROWS) {
    make_parts(layer, first, block_of(first, tokens), queries);
  }
  attend(space.parts, tokens, queries, layer->scale, &space.attention, space.mixed);
  for (uint32_t first = 0; first < queries; first += BLOCK_ROWS) {
    uint32_t at = first * hidden;
    finish_layer(layer, space.mixed + at, space.states + at, block_of(first, queries));
  }
}

/* A product of the head in floats, of one row. */
static void multiply_row(const Product *product, const float *from, float *to) {
  for (uint32_t column = 0; column < product->outputs; column++) {
    v128_t sums = splat(0);
    const float *weights = product->floats + column * product->inputs;
    for (uint32_t k = 0; k < product->inputs; k += 4) {
      sums = add(sums, mul(load(from + k), load(weights + k)));
    }
    v128_t made = splat(sum_of_lanes(sums) + product->bias[column]);
    if (product->activation == TANH) made = hyperbolic_tangent(made);
    if (product->activation == GELU) made = gelu(made);
    if (product->activation == RELU) made = wasm_f32x4_max(made, splat(0));
    to[column] = wasm_f32x4_extract_lane(made, 0);
  }
}

static const float *run_head(void) {
  const float *from = space.states; /* the first token's */
  for (uint32_t i = 0; i < model.head_count; i++) {
    const Product *product = &model.head[i];
    float *to = space.head[i % 2];
    if (product->floats) {
      multiply_row(product, from, to);
    } else {
      quantise(from, 0, 1, product, &space.rows);
      multiply_all(product, 1, (Target){to, product->panels * PANEL, NULL});
    }
    from = to;
  }
  return from;
}

static const float *logits;

/* Run the tokens at `ids`; a Status. */
EXPORT("run") Status run(uint32_t tokens) {
  if (!tokens || tokens > space.tokens) return TOO_LONG;
  if (!embed(tokens)) return BAD_TOKEN;
  for (uint32_t i = 0; i < model.layer_count; i++) {
    /* The answer is read off the first token, so the last layer has nothing to say of the others. */
    bool is_last = i + 1 == model.layer_count;
    run_layer(&model.layers[i], tokens, is_last ? 1 : tokens);
  }
  logits = run_head();
  return OK;
}

EXPORT("logits") const float *logits_of_run(void) { return logits; }
