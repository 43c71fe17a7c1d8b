# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The listener is made in another thread than the first.
package default-jdk-headless
title "java HttpServer"
patience 40

version() {
  java -version 2>&1 | sed -n '1s/.*"\(.*\)".*/\1/p'
}

start() {
  cat >Http.java <<CODE
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Http {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress($PORT), 16);
    server.createContext("/", exchange -> {
      byte[] text = ("java reached port " + exchange.getLocalAddress().getPort()).getBytes();
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    });
    server.start();
  }
}
CODE
  serve java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:-UsePerfData Http.java
}

ask() {
  http "$1" "$2" | says "java reached port $2"
}
