import sys, subprocess
def test_e2e(store_url):
    r=subprocess.run([sys.executable,"-W","error","/tmp/exp/e2e.py",store_url],capture_output=True,text=True)
    print(r.stdout[-6000:]); print(r.stderr[-3000:])
    assert r.returncode==0
