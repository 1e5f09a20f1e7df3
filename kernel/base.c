/* Giving up, memory, and the bytes of the model's files. */

#include "base.h"

#define PAGE 65536u
#define WINDOW 16384u

__attribute__((import_module("host"), import_name("read"))) extern void host_read(
    uint32_t file, uint32_t start, void *into, uint32_t length);

extern uint8_t __heap_base; /* the linker's: where free memory begins */

File files[MOST_FILES];
uint32_t file_count;

static uint32_t memory_top;
static Status last_status;
static const char *last_reason = "";

__attribute__((export_name("status"))) Status status(void) { return last_status; }
__attribute__((export_name("reason"))) const char *reason(void) { return last_reason; }

_Noreturn void stop(Status status, const char *reason) {
  last_status = status;
  last_reason = reason;
  __builtin_trap();
}

void *allocate(size_t count, size_t bytes_each) {
  if (!memory_top) memory_top = (uint32_t)(uintptr_t)&__heap_base;
  uint64_t start = ((uint64_t)memory_top + 15) & ~(uint64_t)15;
  uint64_t length = (uint64_t)count * bytes_each;
  uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
  if (length > UINT32_MAX || start + length > UINT32_MAX) stop(OUT_OF_MEMORY, "more than 4 GiB");
  if (start + length > have) {
    uint32_t pages = (uint32_t)((start + length - have + PAGE - 1) / PAGE);
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) stop(OUT_OF_MEMORY, "no more memory");
  }
  memory_top = (uint32_t)(start + length);
  void *made = (void *)(uintptr_t)start;
  __builtin_memset(made, 0, (size_t)length);
  return made;
}

uint32_t memory_mark(void) {
  allocate(0, 0);
  return memory_top;
}
void memory_release(uint32_t mark) { memory_top = mark; }

void read_file(Span span, void *into) {
  REQUIRE(span.file < file_count && span.start <= span.end, "bytes that no file has");
  REQUIRE(span.end <= files[span.file].size, "bytes beyond the end of a file");
  host_read(span.file, span.start, into, span.end - span.start);
}

/* A part of a file that was read last: graphs are read byte by byte, in order. */
static struct {
  Span span;
  uint8_t bytes[WINDOW];
} window;

uint8_t read_byte(uint32_t file, uint32_t at) {
  Span *span = &window.span;
  if (span->file != file || at < span->start || at >= span->end) {
    REQUIRE(file < file_count && at < files[file].size, "bytes beyond the end of a file");
    uint32_t left = files[file].size - at;
    Span wanted = {file, at, at + (left < WINDOW ? left : WINDOW)};
    read_file(wanted, window.bytes);
    *span = wanted;
  }
  return window.bytes[at - span->start];
}
