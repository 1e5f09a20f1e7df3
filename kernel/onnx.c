/* Reads a graph of the ONNX format. Field numbers are those of onnx.proto. */

#include "onnx.h"

#include "protobuf.h"

#define NAME_SLOTS (2 * MOST_NAMES)

Graph graph;

/* Each name is kept once, so that equal names have equal numbers. */
static Name *names;
static uint32_t *name_slots; /* hash table: number of a name, 0 if free */

bool same_text(const char *a, uint32_t length, const char *b) {
  for (uint32_t i = 0; i < length; i++) {
    if (!b[i] || a[i] != b[i]) return false;
  }
  return !b[length];
}

static bool is_name(Name name, const char *text, uint32_t length) {
  if (name.length != length) return false;
  for (uint32_t i = 0; i < length; i++) {
    if (name.text[i] != text[i]) return false;
  }
  return true;
}

/* The slot that holds a name, or is free for it. */
static uint32_t *find_slot(const char *text, uint32_t length) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * 16777619u;
  uint32_t place = hash % NAME_SLOTS;
  while (name_slots[place] && !is_name(names[name_slots[place]], text, length)) {
    place = (place + 1) % NAME_SLOTS;
  }
  return &name_slots[place];
}

uint32_t name_of(const char *text) {
  uint32_t length = 0;
  while (text[length]) length++;
  return *find_slot(text, length);
}

static const char *read_text(Span body) {
  char *text = allocate(body.end - body.start, 1);
  for (uint32_t at = body.start; at < body.end; at++) {
    text[at - body.start] = (char)read_byte(body.file, at);
  }
  return text;
}

static uint32_t read_name(Span body) {
  uint32_t length = body.end - body.start;
  if (!length) return 0;
  const char *text = read_text(body);
  uint32_t *slot = find_slot(text, length);
  if (!*slot) {
    REQUIRE(graph.name_count + 1 < MOST_NAMES, "more names than the kernel reads");
    *slot = ++graph.name_count;
    names[*slot] = (Name){text, length};
  }
  return *slot;
}

/* One entry {key: 1, value: 2} of TensorProto.external_data. */
static void read_external_entry(Span body, Tensor *tensor, uint64_t *offset, uint64_t *length) {
  Span key = {0}, value = {0};
  for (Field field; next_field(&body, &field);) {
    if (field.number == 1) key = field.body;
    if (field.number == 2) value = field.body;
  }
  const char *name = read_text(key), *text = read_text(value);
  uint32_t name_length = key.end - key.start, text_length = value.end - value.start;
  if (same_text(name, name_length, "location")) {
    for (uint32_t i = 1; i < file_count; i++) {
      Name known = {files[i].name, files[i].name_length};
      if (is_name(known, text, text_length)) tensor->data.file = i;
    }
    return;
  }
  uint64_t number = 0;
  for (uint32_t i = 0; i < text_length; i++) {
    if (text[i] < '0' || text[i] > '9' || i > 10) return; /* such as a checksum */
    number = number * 10 + (uint64_t)(text[i] - '0');
  }
  if (same_text(name, name_length, "offset")) *offset = number;
  if (same_text(name, name_length, "length")) *length = number;
}

static void finish_external(Tensor *tensor, uint64_t offset, uint64_t length) {
  uint32_t file = tensor->data.file;
  REQUIRE(file, "weights in a file that is not there");
  REQUIRE(offset + length <= files[file].size, "weights beyond the end of their file");
  tensor->encoding = RAW;
  tensor->data = (Span){file, (uint32_t)offset, (uint32_t)(offset + length)};
}

static uint32_t bytes_each(uint32_t type) {
  switch (type) {
    case UINT8: case INT8: case BOOL: return 1;
    case FLOAT32: case INT32: return 4;
    case INT64: case FLOAT64: return 8;
    default: stop(NOT_UNDERSTOOD, "a constant of a type that int8 models do not have");
  }
}

static void add_dim(Tensor *tensor, uint64_t dim) {
  REQUIRE(tensor->rank < MOST_AXES, "a constant of too many axes");
  REQUIRE(dim <= INT32_MAX && dim * tensor->count <= UINT32_MAX / 8, "a constant too large");
  tensor->dims[tensor->rank++] = (uint32_t)dim;
  tensor->count *= (uint32_t)dim;
}

/* Numbers may stand in one packed field, or each in one of its own; the latter are left alone. */
static void set_data(Tensor *tensor, Field field) {
  REQUIRE(tensor->encoding == ABSENT, "a constant written in pieces");
  tensor->encoding = field.number == 5 || field.number == 7 ? VARINTS : RAW;
  tensor->data = field.body;
}

/* Which types may stand in float_data, int32_data, int64_data, double_data, raw_data. */
static bool suits(uint32_t type, uint32_t written_as) {
  switch (written_as) {
    case 4: return type == FLOAT32;
    case 5: return type == UINT8 || type == INT8 || type == INT32 || type == BOOL;
    case 7: return type == INT64;
    case 10: return type == FLOAT64;
    default: return true;
  }
}

static const Tensor *read_tensor(Span body, uint32_t *name) {
  Tensor *tensor = allocate(1, sizeof(Tensor));
  tensor->count = 1;
  uint64_t offset = 0, length = 0, location = 0;
  uint32_t written_as = 9;
  for (Field field; next_field(&body, &field);) {
    bool is_number = field.number == 2 || field.number == 14;
    REQUIRE(field.number == 1 || field.wire == (is_number ? VARINT : BYTES), "an odd constant");
    switch (field.number) {
      case 1: /* dims */
        if (field.wire == VARINT) add_dim(tensor, field.value);
        while (field.wire == BYTES && field.body.start < field.body.end) {
          add_dim(tensor, read_varint(&field.body));
        }
        break;
      case 2: tensor->type = (uint32_t)field.value; break;
      case 4: case 5: case 7: case 9: case 10:
        written_as = field.number;
        set_data(tensor, field);
        break;
      case 8: *name = read_name(field.body); break;
      case 13: read_external_entry(field.body, tensor, &offset, &length); break;
      case 14: location = field.value; break;
      case 12: break; /* a text for people */
      default: stop(NOT_UNDERSTOOD, "a constant with an unknown field");
    }
  }
  REQUIRE(suits(tensor->type, written_as), "a constant of another type than its numbers");
  if (location) finish_external(tensor, offset, length);
  uint32_t bytes = tensor->data.end - tensor->data.start;
  bool is_whole = tensor->encoding != RAW || bytes == tensor->count * bytes_each(tensor->type);
  REQUIRE(is_whole && (tensor->encoding || !tensor->count), "a constant without all its numbers");
  return tensor;
}

/* Numbers as they stand in memory: little-endian. */
static double number_at(const uint8_t *bytes, uint32_t type) {
  double real;
  float single;
  int64_t wide;
  int32_t narrow;
  switch (type) {
    case FLOAT32: __builtin_memcpy(&single, bytes, 4); return single;
    case FLOAT64: __builtin_memcpy(&real, bytes, 8); return real;
    case INT64: __builtin_memcpy(&wide, bytes, 8); return (double)wide;
    case INT32: __builtin_memcpy(&narrow, bytes, 4); return narrow;
    case INT8: return (int8_t)*bytes;
    default: return *bytes;
  }
}

void read_numbers(const Tensor *tensor, double *into) {
  Span data = tensor->data;
  uint32_t each = bytes_each(tensor->type);
  for (uint32_t i = 0; i < tensor->count; i++) {
    if (tensor->encoding == VARINTS) {
      into[i] = (double)(int64_t)read_varint(&data);
      continue;
    }
    uint8_t bytes[8];
    for (uint32_t b = 0; b < each; b++) bytes[b] = read_byte(data.file, data.start++);
    into[i] = number_at(bytes, tensor->type);
  }
  REQUIRE(tensor->encoding == RAW || data.start == data.end, "a constant with too many numbers");
}

static void add_integer(Attribute *attribute, uint64_t value) {
  REQUIRE(attribute->count < MOST_AXES, "a list longer than any shape");
  attribute->integers[attribute->count++] = (int64_t)value;
}

static void read_attribute(Span body, Attribute *attribute) {
  uint32_t type = 0, ignored = 0;
  for (Field field; next_field(&body, &field);) {
    bool is_number = field.number == 3 || field.number == 20;
    REQUIRE(is_number == (field.wire == VARINT) || field.number == 8, "an odd setting");
    switch (field.number) {
      case 1:
        attribute->name = read_text(field.body);
        attribute->name_length = field.body.end - field.body.start;
        break;
      case 2: attribute->real = read_float(field.body); break;
      case 3: add_integer(attribute, field.value); break;
      case 5: attribute->tensor = read_tensor(field.body, &ignored); break;
      case 8:
        if (field.wire == VARINT) add_integer(attribute, field.value);
        while (field.wire == BYTES && field.body.start < field.body.end) {
          add_integer(attribute, read_varint(&field.body));
        }
        break;
      case 13: break; /* a text for people */
      case 20: type = (uint32_t)field.value; break;
      default: stop(NOT_UNDERSTOOD, "an operator with a setting of an unknown kind");
    }
  }
  if (type == 2 && !attribute->count) add_integer(attribute, 0); /* a zero may be left out */
}

static void read_node(Span body, Node *node) {
  for (Field field; next_field(&body, &field);) {
    REQUIRE(field.wire == BYTES, "an odd operator");
    uint32_t length = field.body.end - field.body.start;
    switch (field.number) {
      case 1:
        REQUIRE(node->input_count < MOST_INPUTS, "an operator with many inputs");
        node->inputs[node->input_count++] = read_name(field.body);
        break;
      case 2:
        REQUIRE(node->output_count < MOST_OUTPUTS, "an operator with many outputs");
        node->outputs[node->output_count++] = read_name(field.body);
        break;
      case 4:
        __builtin_memset(node->op, 0, sizeof node->op);
        for (uint32_t i = 0; i < length && i < sizeof node->op - 1; i++) {
          node->op[i] = (char)read_byte(field.body.file, field.body.start + i);
        }
        break;
      case 5:
        REQUIRE(node->attribute_count < MOST_ATTRIBUTES, "an operator with many settings");
        read_attribute(field.body, &node->attributes[node->attribute_count++]);
        break;
      case 7:
        REQUIRE(!length || same_text(read_text(field.body), length, "ai.onnx"),
                "an operator that is not of ONNX itself");
        break;
      case 3: case 6: break; /* its name, and a text for people */
      default: stop(NOT_UNDERSTOOD, "an operator with an unknown field");
    }
  }
}

/* The body of a message inside a message; empty if there is none. */
static Span inside(Span body, uint32_t number) {
  Span found = {0};
  for (Field field; next_field(&body, &field);) {
    if (field.number == number && field.wire == BYTES) found = field.body;
  }
  return found;
}

/* ValueInfoProto of an input: 64-bit, and as many rows and tokens as one likes. */
static void check_input(Span body) {
  Span tensor = inside(inside(body, 2), 1); /* TypeProto, TypeProto.Tensor */
  Span shape = inside(tensor, 2);
  uint64_t type = 0;
  for (Field field; next_field(&tensor, &field);) {
    if (field.number == 1 && field.wire == VARINT) type = field.value;
  }
  REQUIRE(type == INT64, "an input of another type");
  for (Field dim; next_field(&shape, &dim);) {
    for (Field size; next_field(&dim.body, &size);) {
      REQUIRE(size.wire != VARINT || size.value <= 1, "an input of a fixed size");
    }
  }
}

/* ValueInfoProto: its name. */
static uint32_t read_value_name(Span body) {
  uint32_t name = 0;
  for (Field field; next_field(&body, &field);) {
    if (field.number == 1) name = read_name(field.body);
  }
  return name;
}

static uint32_t count_fields(Span body, uint32_t number) {
  uint32_t count = 0;
  for (Field field; next_field(&body, &field);) count += field.number == number;
  return count;
}

static void read_graph_body(Span body) {
  graph.nodes = allocate(count_fields(body, 1), sizeof(Node));
  graph.inputs = allocate(count_fields(body, 11), sizeof(uint32_t));
  Span *inputs = allocate(count_fields(body, 11), sizeof(Span));
  graph.constants = allocate(MOST_NAMES, sizeof(Tensor *));
  REQUIRE(count_fields(body, 12) == 1, "a graph with several answers");
  for (Field field; next_field(&body, &field);) {
    REQUIRE(field.wire == BYTES, "an odd graph");
    uint32_t name = 0;
    const Tensor *tensor;
    switch (field.number) {
      case 1: read_node(field.body, &graph.nodes[graph.node_count++]); break;
      case 5:
        tensor = read_tensor(field.body, &name);
        REQUIRE(name && !graph.constants[name], "two constants of one name");
        graph.constants[name] = tensor;
        break;
      case 11:
        graph.inputs[graph.input_count] = read_value_name(field.body);
        inputs[graph.input_count++] = field.body;
        break;
      case 12: graph.output = read_value_name(field.body); break;
      case 2: case 10: case 13: case 14: break; /* name, text for people, shapes, annotations */
      default: stop(NOT_UNDERSTOOD, "a graph with an unknown field");
    }
  }
  for (uint32_t i = 0; i < graph.input_count; i++) {
    if (!graph.constants[graph.inputs[i]]) check_input(inputs[i]);
  }
}

static void read_opset(Span body) {
  bool is_onnx = true;
  uint32_t version = 0;
  for (Field field; next_field(&body, &field);) {
    uint32_t length = field.body.end - field.body.start;
    if (field.number == 1) {
      is_onnx = !length || same_text(read_text(field.body), length, "ai.onnx");
    }
    if (field.number == 2) version = (uint32_t)field.value;
  }
  if (is_onnx) graph.opset = version;
}

void read_graph(void) {
  REQUIRE(file_count, "no file");
  names = allocate(MOST_NAMES, sizeof(Name));
  name_slots = allocate(NAME_SLOTS, sizeof(uint32_t));
  Span model = {0, 0, files[0].size};
  Span body = {0};
  for (Field field; next_field(&model, &field);) {
    REQUIRE(field.number != 25, "a model with operators of its own");
    if (field.number == 7) {
      REQUIRE(field.wire == BYTES && !body.end, "a model with several graphs");
      body = field.body;
    }
    if (field.number == 8) read_opset(field.body);
  }
  REQUIRE(graph.opset >= 11 && graph.opset <= 24, "a version of ONNX that is not known");
  read_graph_body(body);
}
