// SPDX-License-Identifier: BSD-2-Clause
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

/** An HTTP server, with a selector as most have: java ShareHttp.java PORT TEXT. */
public class ShareHttp {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
    byte[] text = (args[1] + "\n").getBytes();
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    });
    server.start();
  }
}
