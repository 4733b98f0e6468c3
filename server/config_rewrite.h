// CONFIG REWRITE: the configuration as it is now, written into the file that it was read from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/config.h"

namespace sluice {

// `text` (the contents of the conf file `file`) changed such that reading it gives `config`. Lines that say
// what holds anyway, comments, blank lines and includes stay as they are; a line that does not is replaced in
// its place (an option's further lines go then); what no line could say is appended below a marker. Files
// that it includes are read, and not changed.
std::string RewriteConfigText(std::string_view text, const std::string& file, const Config& config);

// Does that to the file at `path`, which is replaced as a whole, with its mode and owner, and is on stable
// storage when this returns. An error text where it cannot be read or written: then it is as it was.
std::optional<std::string> RewriteConfigFile(const std::string& path, const Config& config);

}  // namespace sluice
