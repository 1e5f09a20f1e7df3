/* Protobuf: the fields of a message. */

#include "protobuf.h"

uint64_t read_varint(Span *bytes) {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    REQUIRE(bytes->start < bytes->end, "a number that does not end");
    uint8_t byte = read_byte(bytes->file, bytes->start++);
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  stop(NOT_UNDERSTOOD, "a number that is too long");
}

float read_float(Span bytes) {
  REQUIRE(bytes.end - bytes.start == 4, "a number of another size");
  uint32_t bits = 0;
  for (uint32_t i = 0; i < 4; i++) bits |= (uint32_t)read_byte(bytes.file, bytes.start + i) << 8 * i;
  return __builtin_bit_cast(float, bits);
}

bool next_field(Span *message, Field *field) {
  if (message->start == message->end) return false;
  uint64_t tag = read_varint(message);
  REQUIRE(tag >> 3 > 0 && tag >> 3 <= UINT32_MAX, "a field without a number");
  *field = (Field){.number = (uint32_t)(tag >> 3), .wire = tag & 7};
  uint64_t length = 0;
  if (field->wire == VARINT) field->value = read_varint(message);
  else if (field->wire == EIGHT_BYTES) length = 8;
  else if (field->wire == FOUR_BYTES) length = 4;
  else if (field->wire == BYTES) length = read_varint(message);
  else stop(NOT_UNDERSTOOD, "a field of an unknown kind");
  REQUIRE(length <= message->end - message->start, "a field longer than its message");
  field->body = (Span){message->file, message->start, message->start + (uint32_t)length};
  message->start = field->body.end;
  return true;
}
