#include "server/net/tls_context.h"

#include <openssl/err.h>

#include <array>
#include <cstring>
#include <string_view>

namespace sluice::net {
namespace {

// Sessions of another server's contexts are not ours to resume.
constexpr std::string_view kSessionContext = "sluice";

int GivePassword(char* buffer, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<size_t>(size)) return -1;
  text.copy(buffer, text.size());
  return static_cast<int>(text.size());
}

std::string OptionError(std::string_view option, const std::string& value) {
  return std::string(option) + " '" + value + "': " + TakeTlsErrors();
}

// "TLSv1.2 TLSv1.3" in any order and case; what is not named is switched off.
std::string SetProtocols(SSL_CTX* context, const std::string& protocols) {
  const auto words = SplitWords(protocols);
  bool v12 = false;
  bool v13 = false;
  if (words) {
    for (const std::string& word : *words) {
      if (strcasecmp(word.c_str(), "TLSv1.2") == 0) {
        v12 = true;
      } else if (strcasecmp(word.c_str(), "TLSv1.3") == 0) {
        v13 = true;
      } else {
        return "tls-protocols: '" + word + "' is none of TLSv1.2 and TLSv1.3 (older versions are broken)";
      }
    }
  }
  if (!v12 && !v13) return "tls-protocols: neither TLSv1.2 nor TLSv1.3 is named";
  SSL_CTX_set_min_proto_version(context, v12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, v13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  return {};
}

std::string SetIdentity(SSL_CTX* context, const Config& config) {
  if (config.tls_cert_file.empty()) return "tls-cert-file: no certificate is named";
  if (config.tls_key_file.empty()) return "tls-key-file: no key is named";
  if (SSL_CTX_use_certificate_chain_file(context, config.tls_cert_file.c_str()) != 1) {
    return OptionError("tls-cert-file", config.tls_cert_file);
  }
  // Always ours: OpenSSL's own would ask the terminal.
  std::string password = config.tls_key_file_pass;
  SSL_CTX_set_default_passwd_cb(context, &GivePassword);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  const bool key = SSL_CTX_use_PrivateKey_file(context, config.tls_key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  // A key that is not the certificate's is refused here too.
  if (!key) return OptionError("tls-key-file", config.tls_key_file);
  return {};
}

std::string SetAuthorities(SSL_CTX* context, const Config& config) {
  const std::string& file = config.tls_ca_cert_file;
  const std::string& folder = config.tls_ca_cert_dir;
  if (config.tls_auth_clients == TlsAuthClients::kNo) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else if (file.empty() && folder.empty()) {
    return "tls-auth-clients: tls-ca-cert-file or tls-ca-cert-dir must say who vouches for clients";
  } else {
    const int must = config.tls_auth_clients == TlsAuthClients::kYes ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, nullptr);
  }
  if (!file.empty() && SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return OptionError("tls-ca-cert-file", file);
  }
  if (!folder.empty() && SSL_CTX_load_verify_dir(context, folder.c_str()) != 1) {
    return OptionError("tls-ca-cert-dir", folder);
  }
  return {};
}

std::string SetCiphers(SSL_CTX* context, const Config& config) {
  if (!config.tls_ciphers.empty() && SSL_CTX_set_cipher_list(context, config.tls_ciphers.c_str()) != 1) {
    return OptionError("tls-ciphers", config.tls_ciphers);
  }
  if (!config.tls_ciphersuites.empty() &&
      SSL_CTX_set_ciphersuites(context, config.tls_ciphersuites.c_str()) != 1) {
    return OptionError("tls-ciphersuites", config.tls_ciphersuites);
  }
  if (config.tls_prefer_server_ciphers) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  return {};
}

void SetSessions(SSL_CTX* context, const Config& config) {
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned>(kSessionContext.size()));
  if (!config.tls_session_caching) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, static_cast<long>(config.tls_session_cache_size));
  SSL_CTX_set_timeout(context, static_cast<long>(config.tls_session_cache_timeout));
}

}  // namespace

std::string TakeTlsErrors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    if (const char* reason = ERR_reason_error_string(code)) {
      std::strncpy(line.data(), reason, line.size() - 1);
    } else {
      ERR_error_string_n(code, line.data(), line.size());
    }
    text += (text.empty() ? "" : "; ") + std::string(line.data());
  }
  return text.empty() ? "no reason given" : text;
}

tl::expected<TlsContext, std::string> MakeTlsContext(const Config& config) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return tl::unexpected<std::string>("TLS: " + TakeTlsErrors());
  // Renegotiation: a client could have us compute keys for ever. Compression gives secrets away (CRIME).
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections keep no buffers; a write that was begun may go on from elsewhere.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_dh_auto(context.get(), 1);
  SetSessions(context.get(), config);
  std::string error = SetProtocols(context.get(), config.tls_protocols);
  if (error.empty()) error = SetIdentity(context.get(), config);
  if (error.empty()) error = SetAuthorities(context.get(), config);
  if (error.empty()) error = SetCiphers(context.get(), config);
  ERR_clear_error();
  if (!error.empty()) return tl::unexpected<std::string>(error);
  return context;
}

}  // namespace sluice::net
