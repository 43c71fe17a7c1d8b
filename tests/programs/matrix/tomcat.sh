# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package tomcat10-common default-jdk-headless
title "Tomcat"
patience 40

prepare() {
  mkdir conf webapps work temp logs
  cat >conf/server.xml <<CONF
<Server port="-1">
  <Service name="Catalina">
    <Connector port="$PORT"/>
    <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
  </Service>
</Server>
CONF
}

start() {
  serve java -XX:-UsePerfData -XX:TieredStopAtLevel=1 -cp /usr/share/tomcat10/bin/bootstrap.jar:/usr/share/tomcat10/bin/tomcat-juli.jar \
    -Dcatalina.home=/usr/share/tomcat10 -Dcatalina.base="$T" -Djava.io.tmpdir="$T/temp" \
    org.apache.catalina.startup.Bootstrap start
}

ask() {
  http "$1" "$2" | says "HTTP/1.1 404" "Apache Tomcat/10"
}
