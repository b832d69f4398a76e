#include "tests/simpbx/entry.hpp"
