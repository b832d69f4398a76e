// The module (DLL, .so) that holds this code.
// Any thread.
#pragma once

namespace tsplink::proxy {

/// Whoever loaded the module may unload it, but not in fact: it stays until the process ends, and the next load finds
/// it again. The C++ runtime inside it keeps handles for each thread of TAPI that came in and lives, and gives none
/// back when the module goes; nor may a thread that nobody waits for lose its code.
void keep_module_loaded();

}  // namespace tsplink::proxy
