/* Constants: where their numbers lie in the files. Field numbers are those of onnx.proto. */

#include "onnx_parts.h"

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

const Tensor *read_tensor(Span body, uint32_t *name) {
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
