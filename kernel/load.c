/* Takes the weights from the files, and packs them once for the products. */

#include "model.h"

#include <wasm_simd128.h>

#define CHUNK 65536u

Model model;

static float *read_floats(const Tensor *tensor, uint32_t count, uint32_t room) {
  float *made = allocate(room, sizeof(float));
  if (tensor->encoding == ABSENT) return made;
  REQUIRE(tensor->count == count && tensor->type == FLOAT32, "floats of another size");
  read_file(tensor->data, made);
  return made;
}

/* A number for each column, or one for all. */
static void read_columns(const Tensor *tensor, uint32_t columns, double otherwise, double *into) {
  for (uint32_t i = 0; i < columns; i++) into[i] = otherwise;
  if (tensor->encoding == ABSENT) return;
  REQUIRE(tensor->count == columns || tensor->count == 1, "columns of another number");
  read_numbers(tensor, into);
  for (uint32_t i = 1; i < columns && tensor->count == 1; i++) into[i] = into[0];
}

/* Interleave GROUP rows of columns: to (column, GROUP), PANEL columns at a time. */
static void pack_panel(const int8_t *rows[GROUP], int8_t *to) {
  v128_t a = wasm_v128_load64_zero(rows[0]), b = wasm_v128_load64_zero(rows[1]);
  v128_t low = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#if GROUP == 4
  v128_t c = wasm_v128_load64_zero(rows[2]), d = wasm_v128_load64_zero(rows[3]);
  v128_t high = wasm_i8x16_shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  wasm_v128_store(to, wasm_i16x8_shuffle(low, high, 0, 8, 1, 9, 2, 10, 3, 11));
  wasm_v128_store(to + 16, wasm_i16x8_shuffle(low, high, 4, 12, 5, 13, 6, 14, 7, 15));
#else
  wasm_v128_store(to, low);
#endif
}

typedef struct {
  Product *product;
  uint32_t first_panel; /* where the columns begin */
  int8_t *chunk;        /* rows as they are in the file, one after the other */
  uint32_t row_bytes;   /* in the chunk: a multiple of PANEL */
  bool is_unsigned;     /* bytes less 128 are signed */
} Packing;

/* Sums of columns, and bytes made signed, of one row. */
static void take_row(const Packing *packing, int8_t *row) {
  int32_t *sums = packing->product->sums + packing->first_panel * PANEL;
  for (uint32_t column = 0; column < packing->row_bytes; column++) {
    if (packing->is_unsigned) row[column] = (int8_t)((uint8_t)row[column] ^ 128);
    sums[column] += row[column];
  }
}

/* `count` rows, a multiple of GROUP, that begin with row `first`. */
static void pack_chunk(const Packing *packing, uint32_t first, uint32_t count) {
  uint32_t panel_bytes = packing->product->groups * GROUP * PANEL;
  for (uint32_t row = 0; row < count; row++) take_row(packing, packing->chunk + row * packing->row_bytes);
  for (uint32_t row = 0; row < count; row += GROUP) {
    int8_t *to = packing->product->weights + packing->first_panel * panel_bytes +
                 (first + row) * PANEL;
    const int8_t *rows[GROUP];
    for (uint32_t i = 0; i < GROUP; i++) rows[i] = packing->chunk + (row + i) * packing->row_bytes;
    for (uint32_t column = 0; column < packing->row_bytes; column += PANEL, to += panel_bytes) {
      pack_panel(rows, to);
      for (uint32_t i = 0; i < GROUP; i++) rows[i] += PANEL;
    }
  }
}

/* Read some rows; where they are no multiple of PANEL, each gets zeros behind it. */
static void read_rows(const Packing *packing, Span data, uint32_t columns, uint32_t first,
                      uint32_t count) {
  data.start += first * columns;
  if (columns == packing->row_bytes) {
    data.end = data.start + count * columns;
    read_file(data, packing->chunk);
    return;
  }
  for (uint32_t row = 0; row < count; row++, data.start += columns) {
    data.end = data.start + columns;
    read_file(data, packing->chunk + row * packing->row_bytes);
  }
}

static void pack_weights(Product *product, const LinearPlan *linear, uint32_t first_panel) {
  uint32_t mark = memory_mark(), inputs = product->inputs;
  Packing packing = {product, first_panel, NULL, rounded_up(linear->outputs, PANEL),
                     linear->weight.type == UINT8};
  uint32_t rows = CHUNK / packing.row_bytes / GROUP * GROUP;
  if (rows < GROUP) rows = GROUP;
  packing.chunk = allocate(rows, packing.row_bytes);
  for (uint32_t first = 0; first < inputs; first += rows) {
    uint32_t count = inputs - first < rows ? inputs - first : rows;
    read_rows(&packing, linear->weight.data, linear->outputs, first, count);
    pack_chunk(&packing, first, count);
  }
  memory_release(mark);
}

/* Scales, bias and zero points of columns; the sums are known already. */
static void take_columns(Product *product, const LinearPlan *linear, uint32_t first) {
  uint32_t mark = memory_mark(), columns = linear->outputs;
  double *numbers = allocate(columns, sizeof(double));
  read_columns(&linear->factor, columns, 1, numbers);
  for (uint32_t i = 0; i < columns; i++) product->scales[first + i] = (float)numbers[i];
  int32_t shift = linear->weight.type == UINT8 ? 128 : 0;
  read_columns(&linear->zero, columns, 0, numbers);
  for (uint32_t i = 0; i < columns; i++) {
    int32_t zero = (int32_t)numbers[i] - shift;
    product->zeros[first + i] = zero;
    product->sums[first + i] -= zero * (int32_t)product->inputs;
  }
  const float *bias = read_floats(&linear->bias, columns, columns);
  for (uint32_t i = 0; i < columns; i++) product->bias[first + i] = bias[i];
  memory_release(mark);
}

static Product make_product(const LinearPlan *parts, uint32_t count) {
  Product made = {.inputs = parts->inputs, .activation = parts->activation};
  REQUIRE(made.inputs % PANEL == 0, "a product of an odd size");
  made.groups = made.inputs / GROUP;
  for (uint32_t i = 0; i < count; i++) made.outputs += parts[i].outputs;
  made.panels = rounded_up(made.outputs, PANEL) / PANEL;
  uint32_t columns = made.panels * PANEL;
  made.weights = allocate(columns, made.inputs);
  made.sums = allocate(columns, sizeof(int32_t));
  made.zeros = allocate(columns, sizeof(int32_t));
  made.scales = allocate(columns, sizeof(float));
  made.bias = allocate(columns, sizeof(float));
  for (uint32_t i = 0, first = 0; i < count; first += parts[i++].outputs) {
    REQUIRE(!parts[i].is_float && first % PANEL == 0, "a product of an odd size");
    pack_weights(&made, &parts[i], first / PANEL);
    take_columns(&made, &parts[i], first);
  }
  bool all_zero = true;
  for (uint32_t i = 0; i < columns; i++) all_zero &= !made.zeros[i];
  if (all_zero) made.zeros = NULL;
  return made;
}

/* In floats, of the head: (outputs, inputs). */
static Product make_float_product(const LinearPlan *part) {
  Product made = {.inputs = part->inputs, .outputs = part->outputs, .activation = part->activation};
  REQUIRE(made.inputs % PANEL == 0, "a product of an odd size");
  made.panels = rounded_up(made.outputs, PANEL) / PANEL;
  made.bias = read_floats(&part->bias, part->outputs, made.panels * PANEL);
  uint32_t count = part->inputs * part->outputs;
  made.floats = read_floats(&part->weight, count, count);
  if (part->is_transposed) return made;
  float *turned = allocate(count, sizeof(float));
  for (uint32_t i = 0; i < count; i++) {
    turned[i % part->outputs * part->inputs + i / part->outputs] = made.floats[i];
  }
  made.floats = turned;
  return made;
}

static Norm make_norm(const NormPlan *norm) {
  uint32_t hidden = plan.hidden;
  return (Norm){read_floats(&norm->weight, hidden, hidden), read_floats(&norm->bias, hidden, hidden),
                norm->epsilon};
}

static EmbeddingTable make_table(const TablePlan *table) {
  EmbeddingTable made = {table->rows.dims[0], table->rows.type, NULL, table->scale, table->zero,
                         table->first_row_only};
  if (table->rows.encoding == ABSENT) return (EmbeddingTable){0};
  REQUIRE(table->rows.rank == 2 && table->rows.dims[1] == plan.hidden, "a table of an odd size");
  REQUIRE(table->rows.encoding == RAW && made.rows, "a table written in an odd way");
  if (made.first_row_only) made.rows = 1;
  Span data = table->rows.data;
  made.bytes = allocate(data.end - data.start, 1);
  read_file(data, made.bytes);
  return made;
}

static Layer make_layer(const LayerPlan *layer) {
  const LinearPlan parts[] = {layer->query, layer->key, layer->content};
  if (model.inner < layer->up.outputs) model.inner = layer->up.outputs;
  return (Layer){
      .query_key_content = make_product(parts, 3),
      .output = make_product(&layer->output, 1),
      .up = make_product(&layer->up, 1),
      .down = make_product(&layer->down, 1),
      .attention_norm = make_norm(&layer->attention_norm),
      .norm = make_norm(&layer->norm),
      .scale = layer->scale,
  };
}

void load_model(void) {
  model = (Model){.hidden = plan.hidden, .heads = plan.heads, .size = plan.hidden / plan.heads,
                  .labels = plan.labels, .layer_count = plan.layer_count,
                  .head_count = plan.head_count, .inner = plan.hidden};
  for (int32_t which = 0; which < TABLES; which++) {
    model.tables[which] = make_table(&plan.tables[which]);
  }
  model.longest = 8192;
  if (model.tables[POSITIONS].bytes) {
    model.longest = model.tables[POSITIONS].rows - (uint32_t)plan.first_position;
  }
  model.embedding_norm = make_norm(&plan.embedding_norm);
  model.layers = allocate(plan.layer_count, sizeof(Layer));
  for (uint32_t i = 0; i < plan.layer_count; i++) model.layers[i] = make_layer(&plan.layers[i]);
  for (uint32_t i = 0; i < plan.head_count; i++) {
    const LinearPlan *part = &plan.head[i];
    model.head[i] = part->is_float ? make_float_product(part) : make_product(part, 1);
    if (model.inner < part->outputs) model.inner = part->outputs;
  }
}
