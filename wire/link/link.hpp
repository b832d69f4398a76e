// Everything that users of wire/link need.
// Owner and threads: as each header says.
#pragma once

#include "wire/link/client.hpp"
#include "wire/link/limits.hpp"
#include "wire/link/reactor.hpp"
#include "wire/link/server.hpp"
