/* Names of values: each is kept once, so that equal names have equal numbers. */

#include "onnx_parts.h"

#define NAME_SLOTS (2 * MOST_NAMES)

/* Each name is kept once, so that equal names have equal numbers. */
static Name *names;
static uint32_t *name_slots; /* hash table: number of a name, 0 if free */

bool same_text(const char *a, uint32_t length, const char *b) {
  for (uint32_t i = 0; i < length; i++) {
    if (!b[i] || a[i] != b[i]) return false;
  }
  return !b[length];
}

bool is_name(Name name, const char *text, uint32_t length) {
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

const char *read_text(Span body) {
  char *text = allocate(body.end - body.start, 1);
  for (uint32_t at = body.start; at < body.end; at++) {
    text[at - body.start] = (char)read_byte(body.file, at);
  }
  return text;
}

uint32_t read_name(Span body) {
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

void start_names(void) {
  names = allocate(MOST_NAMES, sizeof(Name));
  name_slots = allocate(NAME_SLOTS, sizeof(uint32_t));
}
