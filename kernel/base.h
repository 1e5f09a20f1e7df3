/* What every part uses: how to give up, memory, and the bytes of the model's files. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a call ends; the same numbers stand in web/workers/kernel-session.js and kernel_host.py. */
typedef enum {
  OK = 0,
  NOT_UNDERSTOOD = 1, /* another engine must run this model */
  OUT_OF_MEMORY = 2,
  BAD_TOKEN = 3, /* a token id or type that the model has no row for */
  TOO_LONG = 4,  /* more tokens than the model has positions */
} Status;

/* End the call with a trap, which the host catches; `reason` is a text of ours, never the model's. */
_Noreturn void stop(Status status, const char *reason);

/* A model that does not meet `condition` is left to another engine. */
#define REQUIRE(condition, reason) \
  do { \
    if (!(condition)) stop(NOT_UNDERSTOOD, reason); \
  } while (0)

/* Memory grows upwards only; a mark remembers how far, and a release forgets what came after. */
void *allocate(size_t count, size_t bytes_each); /* zeroed, 16-byte aligned */
uint32_t memory_mark(void);
void memory_release(uint32_t mark);

/* A range of bytes in one of the model's files. */
typedef struct {
  uint32_t file, start, end;
} Span;

#define MOST_FILES 64

typedef struct {
  const char *name;
  uint32_t name_length;
  uint32_t size;
} File;

extern File files[MOST_FILES]; /* the first is the graph; others hold weights beside it */
extern uint32_t file_count;

/* The bytes of a file are with the host. What lies beyond the file is never asked for. */
void read_file(Span span, void *into);
uint8_t read_byte(uint32_t file, uint32_t at);

static inline bool same_string(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
static inline bool is_close(double a, double b) {
  return __builtin_fabs(a - b) <= 1e-6 * (__builtin_fabs(a) + __builtin_fabs(b));
}
