// Preprocessor help for reading the sheet: TSPLINK_MAP applies a macro to each of its arguments, and a parameter of
// the sheet is the pair (name, role), whose role may hold commas.
#pragma once

#define TSPLINK_PARENS ()
#define TSPLINK_EXPAND(...) TSPLINK_EXPAND2(TSPLINK_EXPAND2(TSPLINK_EXPAND2(TSPLINK_EXPAND2(__VA_ARGS__))))
#define TSPLINK_EXPAND2(...) TSPLINK_EXPAND1(TSPLINK_EXPAND1(TSPLINK_EXPAND1(TSPLINK_EXPAND1(__VA_ARGS__))))
#define TSPLINK_EXPAND1(...) __VA_ARGS__

// TSPLINK_MAP(M, a, b, c): M(a), M(b), M(c)
#define TSPLINK_MAP(macro, ...) __VA_OPT__(TSPLINK_EXPAND(TSPLINK_MAP_STEP(macro, __VA_ARGS__)))
#define TSPLINK_MAP_STEP(macro, first, ...) \
  macro(first) __VA_OPT__(, TSPLINK_MAP_AGAIN TSPLINK_PARENS(macro, __VA_ARGS__))
#define TSPLINK_MAP_AGAIN() TSPLINK_MAP_STEP

#define TSPLINK_PAIR_NAME(pair) TSPLINK_PAIR_NAME_ pair
#define TSPLINK_PAIR_NAME_(name, ...) name
#define TSPLINK_PAIR_ROLE(pair) TSPLINK_PAIR_ROLE_ pair
#define TSPLINK_PAIR_ROLE_(name, ...) __VA_ARGS__
#define TSPLINK_STRING(x) TSPLINK_STRING_(x)
#define TSPLINK_STRING_(x) #x
