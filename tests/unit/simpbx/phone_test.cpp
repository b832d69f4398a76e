#include "tests/unit/simpbx/fake_tapi.hpp"
