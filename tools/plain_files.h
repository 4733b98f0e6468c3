// Whether a data folder is one, before anything in it is opened.
#pragma once

#include <string>

namespace sluice::tools {

// Why `directory` cannot be looked at as a store: it is too long a path, no directory, or something in it
// that has the name of one of a store's files is no plain file (a pipe would be read for ever). Empty where
// it can.
std::string NotPlain(const std::string& directory);

}  // namespace sluice::tools
