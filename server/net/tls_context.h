// What all TLS connections share: certificate, key, authorities, protocols, ciphers.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "server/config.h"

namespace sluice::net {

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// Reads the files that the options tls-* name and checks that they fit each other. The error is one line for
// an operator: which option or file, and what OpenSSL said. A connection keeps the context that it began with
// alive.
tl::expected<TlsContext, std::string> MakeTlsContext(const Config& config);

// What OpenSSL's queue of errors says, oldest first; empties it.
std::string TakeTlsErrors();

}  // namespace sluice::net
