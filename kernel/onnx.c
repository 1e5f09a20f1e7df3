/* Reads a graph of the ONNX format. Field numbers are those of onnx.proto. */

#include "onnx_parts.h"

Graph graph;

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
  start_names();
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
