// Ends of lines, and braces that open a label.
#include "tree_sitter/parser.h"
#include <stdbool.h>

enum TokenType { END, LABEL_OPEN };

void *tree_sitter_archc_external_scanner_create(void) { return NULL; }
void tree_sitter_archc_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_archc_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}
void tree_sitter_archc_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool is_word(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// After a newline: whether the step goes on, with `->` or `else`. Comments and blank lines do not matter.
static bool goes_on(TSLexer *lexer) {
  for (;;) {
    while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') lexer->advance(lexer, false);
    if (lexer->lookahead != '/') break;
    lexer->advance(lexer, false);
    if (lexer->lookahead != '/') return false;
    while (lexer->lookahead != '\n' && !lexer->eof(lexer)) lexer->advance(lexer, false);
  }
  if (lexer->lookahead == '-') {
    lexer->advance(lexer, false);
    return lexer->lookahead == '>';
  }
  for (const char *word = "else"; *word; word++) {
    if (lexer->lookahead != *word) return false;
    lexer->advance(lexer, false);
  }
  return !is_word(lexer->lookahead);
}

// After `{`: whether its braces, on this line, belong to a label, which ends with a colon.
static bool is_label(TSLexer *lexer) {
  int depth = 1;
  while (depth > 0) {
    if (lexer->lookahead == '\n' || lexer->eof(lexer)) return false;
    if (lexer->lookahead == '{') depth++;
    if (lexer->lookahead == '}') depth--;
    lexer->advance(lexer, false);
    while (depth == 0 && is_word(lexer->lookahead)) lexer->advance(lexer, false);
    if (depth == 0 && lexer->lookahead == '{') {
      depth = 1;
      lexer->advance(lexer, false);
    }
  }
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, false);
  return lexer->lookahead == ':';
}

bool tree_sitter_archc_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, true);
  if (valid[END] && lexer->lookahead == '\n') {
    lexer->result_symbol = END;
    lexer->advance(lexer, false);
    lexer->mark_end(lexer);
    return !goes_on(lexer);
  }
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') lexer->advance(lexer, true);
  if (valid[LABEL_OPEN] && lexer->lookahead == '{') {
    lexer->result_symbol = LABEL_OPEN;
    lexer->advance(lexer, false);
    lexer->mark_end(lexer);
    return is_label(lexer);
  }
  return false;
}
