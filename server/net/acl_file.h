// The ACL file on disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::net {

// Its whole text; at most 16 MiB. An error text that names the file.
tl::expected<std::string, std::string> ReadAclFile(const std::string& path);

// Replaces it, readable by the server's user alone: written beside it, made durable, renamed. An error text
// that names the file; the old one is there then.
std::optional<std::string> WriteAclFile(const std::string& path, std::string_view text);

}  // namespace sluice::net
