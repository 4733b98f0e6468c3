// Where the server's own log lines go (not the data's log: that is storage/log.h).
#pragma once

#include <optional>
#include <string>

#include "server/config.h"

namespace sluice::net {

// Lines look like "2026-11-22 20:51:28.123 [notice] Ready ...". Levels are Redis's: spdlog's trace, debug,
// info and warn are written as debug, verbose, notice and warning. Each line is flushed.
//
// Makes spdlog's default logger write to `file` (standard output where it is empty), which is created or
// appended to. Calling it again opens the file again: for SIGHUP, after a log rotation. An error text where
// it cannot be opened; the logger before it stays.
std::optional<std::string> OpenLogOutput(const std::string& file, LogLevel level);

void SetLogLevel(LogLevel level);

}  // namespace sluice::net
