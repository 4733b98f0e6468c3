// A client that speaks TLS, and the certificates for it, made when a test runs.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::tests {

// An authority and what it signs, as PEM files in a directory.
class TlsFiles {
 public:
  // Makes an authority in `directory`, called `name`. Throws std::runtime_error where openssl(1) fails.
  TlsFiles(std::string directory, std::string name);

  // A certificate for `name` with its key: "<name>.crt" and "<name>.key". `password`: of the key; empty:
  // none.
  void Sign(const std::string& name, const std::string& password = "") const;

  std::string authority() const { return Path(authority_ + "-ca.crt"); }
  std::string certificate(const std::string& name) const { return Path(name + ".crt"); }
  std::string key(const std::string& name) const { return Path(name + ".key"); }

 private:
  std::string Path(const std::string& file) const { return directory_ + "/" + file; }

  std::string directory_;
  std::string authority_;
};

class TlsClient {
 public:
  struct Options {
    std::string authority;    // verifies the server by it; empty: takes any
    std::string certificate;  // shows it
    std::string key;
    int min_version = 0;  // TLS1_2_VERSION; 0: any
    int max_version = 0;
  };
  // Throws std::runtime_error where nobody listens; a handshake that fails is told by connected() and
  // error().
  TlsClient(uint16_t port, const Options& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  const std::string& error() const { return error_; }
  SSL* ssl() { return ssl_.get(); }
  int fd() const { return fd_; }
  // "CN = ..." of the server's certificate.
  std::string ServerName() const;

  // False where the connection ended.
  bool Send(std::string_view bytes);
  // `count` bytes; fewer where the connection ends before, or nothing comes for kPatience.
  std::string Read(size_t count);
  // After Read() came short: the server said goodbye (close_notify), rather than being cut off.
  bool ended_well() const { return ended_well_; }
  // Without a word, and so that the server's kernel answers with a reset.
  void Abort();

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  int fd_ = -1;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool connected_ = false;
  bool ended_well_ = false;
  std::string error_;
};

// A plain TCP connection to the loopback, with kPatience as its receive timeout. Throws std::runtime_error.
int ConnectTcp(uint16_t port);

}  // namespace sluice::tests
