setup() { load /tmp/share-tree/tests/lib/skl; skl_setup; }
teardown() { skl_teardown; }
@test "smoke" {
  start_helper --log-level info
  f=$(helper_fds)
  run_shim SKL_SHARE=web SKL_HOLD=3s SKL_DEBUG=1 -- /usr/bin/python3 "$TESTS/programs/share-http.py" 8080
  A=$SPAWNED
  wait_port 8080
  run_shim SKL_SHARE=web SKL_DEBUG=1 -- /usr/bin/python3 "$TESTS/programs/share-http.py" 8080
  B=$SPAWNED; LB=$LOG
  sleep 1
  for i in 1 2 3 4 5 6 7 8 9 10; do ns curl -s http://127.0.0.1:8080/; done
  kill -9 $A; sleep 0.5
  for i in 1 2 3; do ns curl -s http://127.0.0.1:8080/; done
  kill -9 $B; sleep 0.5
  run ns timeout 2 curl -s http://127.0.0.1:8080/ ; echo "curl $status"
  run_shim SKL_SHARE=web SKL_DEBUG=1 -- /usr/bin/python3 "$TESTS/programs/share-http.py" 8080
  for i in 1 2 3; do ns curl -s http://127.0.0.1:8080/; done
  kill -9 $SPAWNED
  sleep 4
  run ns timeout 2 curl -s http://127.0.0.1:8080/ ; echo "curl $status"
  echo "fds before $f now $(helper_fds)"
  cat $T/*.log; false
}
