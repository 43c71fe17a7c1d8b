// SPDX-License-Identifier: BSD-2-Clause
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Says to each client which address and port it reached: java Reached.java PORT [ADDRESS]. */
public class Reached {
  public static void main(String[] args) throws IOException {
    int port = Integer.parseInt(args[0]);
    ServerSocket server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(args.length > 1
        ? new InetSocketAddress(InetAddress.getByName(args[1]), port)
        : new InetSocketAddress(port));
    while (true) {
      try (Socket client = server.accept()) {
        String text = "reached " + client.getLocalAddress().getHostAddress() + " port " + client.getLocalPort();
        client.getOutputStream().write((text + "\n").getBytes());
      }
    }
  }
}
